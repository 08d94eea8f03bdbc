"""Discrete diffusion of graphs, mostly molecules, and what it gains from breaking their symmetry."""
