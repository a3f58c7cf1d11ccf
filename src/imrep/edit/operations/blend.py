"""Two pictures in one, without a seam."""

import math

import torch
from torch import Tensor

from imrep import checks
from imrep.errors import BadImage
from imrep.ops.colour import luminance
from imrep.ops.pyramid import laplacian
from imrep.types import Image

_COARSEST = 3  # halvings less than the shorter side allows: farther, colours reach the other edge


def blend(image: Image, *, with_: Image, mask: Image, levels: int | None = None) -> Image:
    """Another picture where the mask is white, joined in each band of frequencies by itself.

    A seam shows where it is sharper than what it joins; a soft one makes ghosts where it is softer.
    So the pictures' Laplacian pyramids are joined band by band, each under the mask's level of the
    same size: colours pass over into each other across many pixels, fine detail across few.

    Args:
        image: What there is where the mask is black, (b, 1|3, h, w), values in [0, 1].
        with_: What there is where the mask is white, of the same size; gray serves for colour too.
        mask: How much of it, from 0 (black) to 1 (white), of the same size; of a coloured mask the
            luma counts.
        levels: Bands of the pyramids, at most log2 of the longer side, upwards. It takes about
            2^levels pixels to pass over from one picture's colours to the other's, so that 0 cuts
            along the mask as it is. If not given, an eighth of the shorter side.

    Raises:
        BadImage: No batches of images, or not of one size, or colour to go into gray.
        BadParameter: Levels below 0, or more than lead to one pixel.

    References:
        P. J. Burt and E. H. Adelson, "A multiresolution spline with application to image mosaics",
        ACM Trans. Graphics 2(4), 1983. doi:10.1145/245.247
    """
    checks.image(image, "blend")
    other, share = _fitting(with_, image, "with"), _fitting(mask, image, "mask")
    _check_colours(image, other)
    weights = _weights(luminance(share), _levels(image, levels))
    # Joining is linear, so that one pyramid does: of how the other picture differs.
    parts = [
        here + _under(weights, there - here)
        for here, there in zip(image.split(1, 1), other.expand_as(image).split(1, 1), strict=True)
    ]
    return torch.cat(parts, 1).clamp_(0, 1)


def _weights(mask: Tensor, levels: int) -> list[Tensor]:
    """The mask's Gaussian pyramid: itself, then each half the size of the one before."""
    weights = [mask.clamp(0, 1)]
    for _ in range(levels):
        weights.append(laplacian.reduce(weights[-1]))
    return weights


def _under(weights: list[Tensor], difference: Tensor) -> Tensor:
    """The difference with each level of its Laplacian pyramid times the weights of its size."""
    if len(weights) == 1:
        return weights[0] * difference
    bands, rest = laplacian.build(difference, len(weights) - 1)
    parts = [weight * part for weight, part in zip(weights, (*bands, rest), strict=True)]
    return laplacian.collapse(parts[:-1], parts[-1])


def _levels(image: Image, levels: int | None) -> int:
    if levels is None:
        return max(0, int(math.log2(min(image.shape[2:]))) - _COARSEST)
    most = math.ceil(math.log2(max(image.shape[2:])))  # then one pixel is left
    checks.between(levels, 0, most, "blend", "levels")
    return levels


def _fitting(x: Image, image: Image, what: str) -> Image:
    """A further picture, if it is one of the image's size, one for all or one for each."""
    checks.image(x, f"blend's {what}")
    if x.shape[2:] != image.shape[2:]:
        (height, width), (rows, columns) = image.shape[2:], x.shape[2:]
        raise BadImage(
            f"blend needs {what} of the image's size, {height}×{width}, got {rows}×{columns}. "
            "Resize or crop it first."
        )
    if len(x) not in (1, len(image)):
        raise BadImage(
            f"blend needs one {what} for all images or one for each of {len(image)}, got {len(x)}."
        )
    return x.to(image)


def _check_colours(image: Image, other: Image) -> None:
    if other.shape[1] > image.shape[1]:
        raise BadImage(
            "blend needs a gray picture to go into a gray one, got 3 channels for 1. "
            "Try image.expand(-1, 3, -1, -1), or swap the pictures and invert the mask."
        )
