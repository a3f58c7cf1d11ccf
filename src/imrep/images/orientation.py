"""EXIF's eight orientations as a transposition and two mirrorings."""

from numpy.typing import NDArray

# EXIF orientation: transposed, then columns mirrored, then rows mirrored, gives the upright image.
ORIENTATIONS = {
    1: (False, False, False),
    2: (False, True, False),
    3: (False, True, True),
    4: (False, False, True),
    5: (True, False, False),
    6: (True, True, False),
    7: (True, True, True),
    8: (True, False, True),
}


def upright(pixels: NDArray, orientation: int) -> NDArray:
    """Pixels (h, w, …) rotated and mirrored from EXIF orientation 1 to 8 to upright; a view."""
    transposed, columns, rows = ORIENTATIONS[orientation]
    pixels = pixels.swapaxes(0, 1) if transposed else pixels
    return pixels[:: -1 if rows else 1, :: -1 if columns else 1]
