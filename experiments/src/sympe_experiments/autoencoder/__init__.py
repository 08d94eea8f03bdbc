"""The graph autoencoder: reconstruct a graph from one short code per node, which symmetry makes impossible."""
