"""Mathematical morphology: operators, structuring elements, running extremes."""
