"""What the classes hang on: the same judging of images from which something was taken away."""
