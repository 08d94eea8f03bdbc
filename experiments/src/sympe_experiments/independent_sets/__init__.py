"""Maximal independent sets of vertex-transitive graphs: no equivariant network can name one."""
