"""Mathematical morphology: operators and structuring elements."""
