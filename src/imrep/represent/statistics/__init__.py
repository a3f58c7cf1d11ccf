"""What values an image has, not where."""
