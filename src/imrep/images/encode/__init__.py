"""From pixels to the bytes of a file: what each format can hold, and its encoder."""
