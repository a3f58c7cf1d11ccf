"""What small neighbourhoods look like."""
