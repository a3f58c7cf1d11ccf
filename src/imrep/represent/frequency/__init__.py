"""An image as a sum of waves."""
