"""Images and the words that describe them."""
