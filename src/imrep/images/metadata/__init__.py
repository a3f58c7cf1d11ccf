"""What a file states beside its pixels: EXIF, XMP, IPTC, text, and its compression."""
