"""Codes found by descending a loss."""
