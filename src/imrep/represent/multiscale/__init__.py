"""An image at several scales at once."""
