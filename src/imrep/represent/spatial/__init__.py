"""An image by places: smoothed within its edges, or drawn on another map."""
