"""Crystals whose cells distort and double, learned by a network of e3nn."""
