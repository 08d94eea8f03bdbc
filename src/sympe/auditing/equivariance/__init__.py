"""Tests of equivariance of maps, of their layers, and of laws; symmetry of outputs."""
