"""Discrete diffusion of graphs, molecules above all, and what breaking their symmetry gives it."""
