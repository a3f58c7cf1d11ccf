"""Filters in the image plane: convolution, Gaussian, borders, peaks, Canny, orientations."""
