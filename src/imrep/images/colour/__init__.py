"""Colour spaces by curves and primaries, and ICC profiles."""
