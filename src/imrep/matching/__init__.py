"""Keypoint matching: whether and where one image appears in another."""
