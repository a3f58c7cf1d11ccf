"""What a comparison fitted to images: saved, read again, and asked about new images."""
