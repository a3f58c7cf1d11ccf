"""One representation per file; the file's name is its name."""
