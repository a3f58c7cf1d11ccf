"""From pictures to vectors: one resumable engine for files of vectors, comparisons and matches."""
