"""Representations that share a space with words."""
