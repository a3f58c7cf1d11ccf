"""The images of a comparison: classes, near-duplicates, groups, folds and controls."""
