"""Measurements of vectors that need no classes."""
