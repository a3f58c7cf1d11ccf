"""The protocol that compares representations on a folder of images, one question per file."""
