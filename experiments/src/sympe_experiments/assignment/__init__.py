"""Identical agents sent to targets at least total cost: sets of equal elements through a transformer."""
