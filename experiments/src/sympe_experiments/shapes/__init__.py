"""Shapes that deform into less symmetric ones, learned by a network of e3nn."""
