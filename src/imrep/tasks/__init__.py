"""What codes are good for, besides learning from them; one task per file."""
