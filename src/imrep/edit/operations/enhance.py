"""Detail enhancement by scale."""

import math

from imrep import checks
from imrep.edit import measurements
from imrep.errors import BadParameter
from imrep.ops.colour import luminance
from imrep.ops.pyramid import laplacian
from imrep.types import Image

_MAX_GAIN = 10  # beyond it, noise and halos dominate


def enhance(image: Image, *, gains: str = "1.5 1.3 1.1") -> Image:
    """Detail enhancement: each band of the image's Laplacian pyramid times a gain.

    The first band holds detail of about one pixel, the next of about two, then four and so on. Only
    the luma is decomposed, and its change is added to red, green and blue alike: colours get no
    noisier, and edges no fringes.

    Args:
        image: (b, 1|3, h, w), values in [0, 1].
        gains: One number from 0 to 10 for each band, the finest first: above 1 strengthens, below 1
            weakens, 0 removes the band. Bands without a number are unchanged. An image has
            log2 of its longer side bands, rounded up.

    Raises:
        BadImage: The input is not a batch of images.
        BadParameter: A gain is no number from 0 to 10, or there are more gains than bands.

    References:
        P. J. Burt and E. H. Adelson, "The Laplacian pyramid as a compact image code", IEEE Trans.
        Communications 31(4), 1983. doi:10.1109/TCOM.1983.1095851
    """
    checks.image(image, "enhance")
    factors = _numbers(gains)
    _check_bands(len(factors), *image.shape[2:])
    bands, residual = laplacian.build(luminance(image), len(factors))
    for i in range(len(image)):
        strengths = [float(band[i].square().mean().sqrt()) for band in bands]
        measurements.record("enhance", "", **{f"band_{k}": n for k, n in enumerate(strengths, 1)})
    changes = [band * (gain - 1) for band, gain in zip(bands, factors, strict=True)]
    return image.add(laplacian.collapse(changes, residual.new_zeros(residual.shape))).clamp(0, 1)


def _numbers(gains: str) -> list[float]:
    try:
        factors = [float(gain) for gain in gains.replace(",", " ").split()]
    except ValueError:
        factors = []
    if not factors:
        raise BadParameter(
            f"enhance needs gains as numbers, the finest band's first, got {gains!r}. "
            "Try '1.5 1.3 1.1'."
        )
    for gain in factors:
        checks.between(gain, 0, _MAX_GAIN, "enhance", "gains")
    return factors


def _check_bands(gains: int, height: int, width: int) -> None:
    bands = math.ceil(math.log2(max(height, width)))
    if gains > bands:
        raise BadParameter(
            f"enhance needs no more gains than the {bands} bands of an image of {height}×{width}, "
            f"got {gains}. Name fewer."
        )
