"""Ising ground states: uniform couplings look the same from every site, their ground states do not."""
