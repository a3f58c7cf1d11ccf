"""Classifiers of images that a comparison fitted: saved, read again, and asked about new images."""
