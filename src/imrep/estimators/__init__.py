"""The ridge that judges representations and that a saved classifier holds: numpy, no images."""
