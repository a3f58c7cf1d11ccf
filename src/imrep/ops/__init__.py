"""Arithmetic on image tensors that several representations share."""
