"""Sharpness of an image: its finest detail over the next coarser detail."""

import numpy as np
from numpy.typing import NDArray

MEASURED_PX = 128  # short side at which it is measured: a comparison decodes as much anyway
_FINE, _COARSE = 1.0, 1.7  # sigmas of the two steps: bands below 1 and from 1 to 2 pixels
_BLOCK = 8  # pixels: side of the parts whose sharpest count
_SHARPEST = 0.99  # quantile of the parts: one sharp part makes an image sharp
_ROUNDING = 0.25  # energy of the coarse band below which rounding to 8 bits counts


def sharpness(luminance: NDArray[np.uint8]) -> float:
    """Amplitude of the detail below 1 pixel over that of 1 to 2 pixels, in the sharpest parts.

    In photographs all octaves are about equally strong, so that the ratio is near 1 or above; a
    blur removes the finest octave first. As a ratio it does not depend on contrast. It is taken at
    a short side of 128 pixels, so that a blur counts relative to the image, and in the sharpest
    hundredth of the parts, so that a blurred background does not count. A blur along one direction
    leaves the detail across it, and the ratio with it. The ratio of the band energies stands in
    place of the edge widths of Marziliano et al.

    Args:
        luminance: (h, w).

    Returns:
        From 0, for a constant image, to about 4.

    References:
        P. Marziliano et al., "A no-reference perceptual blur metric", ICIP 2002.
        doi:10.1109/ICIP.2002.1038902
    """
    import cv2  # takes longer to import than what does without it

    image = _shrunk(luminance).astype(np.float32)
    fine = cv2.GaussianBlur(image, (0, 0), _FINE)
    coarse = cv2.GaussianBlur(fine, (0, 0), _COARSE)
    rows, columns = (max(1, side // _BLOCK) for side in image.shape)
    rank = round(_SHARPEST * (rows * columns - 1))
    finest, next_coarser = (
        np.partition(
            cv2.resize(np.square(band), (columns, rows), interpolation=cv2.INTER_AREA),
            rank,
            axis=None,
        )[rank]
        for band in (image - fine, fine - coarse)
    )
    return float(np.sqrt(finest / (next_coarser + _ROUNDING)))


def _shrunk(luminance: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """At the short side of the measurement; smaller images as they are."""
    import cv2

    height, width = luminance.shape
    scale = MEASURED_PX / min(height, width)
    if scale >= 1:
        return luminance
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(luminance, size, interpolation=cv2.INTER_AREA), np.uint8)
