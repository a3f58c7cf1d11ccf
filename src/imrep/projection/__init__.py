"""Vectors -> a map on a plane: positions, how faithful they are, and one self-contained page."""
