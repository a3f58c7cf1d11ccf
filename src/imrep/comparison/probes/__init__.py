"""Classifiers that score vectors: the ridge probe, nearest neighbours, learning curves."""
