"""Tests of equivariance: of maps, layer by layer, and of laws; and how symmetric outputs are."""
