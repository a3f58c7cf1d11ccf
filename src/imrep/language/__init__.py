"""Text beside images: prompts, vectors of texts, and classes by their names alone."""
