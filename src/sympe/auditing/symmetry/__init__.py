"""The stabilizer of an input and how it moves targets: graphs, fields, points, and any finite group."""
