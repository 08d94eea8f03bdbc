"""Stabilizers of inputs and their actions on targets: graphs, fields, points, and any finite group."""
