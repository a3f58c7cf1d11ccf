"""Estimators with scikit-learn's interface: vectors from images, and classes from vectors."""
