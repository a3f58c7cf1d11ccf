"""Comparison of representations on one data set, from images to conclusions."""
