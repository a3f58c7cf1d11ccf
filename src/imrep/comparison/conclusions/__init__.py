"""What the measurements allow to be said, and which candidate to use."""
