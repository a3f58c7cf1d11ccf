"""Confidence intervals and the test that decides which candidates are tied."""
