"""Sentences of the report and the recommended candidate."""
