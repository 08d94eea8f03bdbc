"""Proper colorings of vertex-transitive graphs in three colors."""
