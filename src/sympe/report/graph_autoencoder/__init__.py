"""What the report says of the graph autoencoder."""
