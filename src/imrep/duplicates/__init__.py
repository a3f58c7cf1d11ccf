"""Near-duplicates and the groups they form, which no fold or held-out part may divide."""
