"""Multiresolution blending of two images."""

import math

import torch
from torch import Tensor

from imrep import checks
from imrep.errors import BadImage
from imrep.ops.colour import luminance
from imrep.ops.pyramid import laplacian
from imrep.types import Image

_MARGIN = 3  # levels fewer than fit: with more, colours would spread to the opposite edge


def blend(image: Image, *, with_: Image, mask: Image, levels: int | None = None) -> Image:
    """Two images joined along a mask, seamless at every scale: a multiresolution spline.

    A transition that is sharper than the detail around it shows as a seam; one that is softer
    shows ghosts. So the Laplacian pyramids are blended band by band, each with the level of the
    mask's Gaussian pyramid of the same size: colours change over many pixels, fine detail over few.

    Args:
        image: The image where the mask is black, (b, 1|3, h, w), values in [0, 1].
        with_: The image where the mask is white, of the same size; it may be gray.
        mask: Its weight from 0 (black) to 1 (white), of the same size; the luma of a colour mask.
        levels: Bands of the pyramids, at most log2 of the longer side, rounded up. The transition
            is about 2^levels pixels wide; 0 uses the mask as it is. By default the transition is an
            eighth of the shorter side.

    Raises:
        BadImage: The inputs are not batches of images of one size, or colour is to go into gray.
        BadParameter: Levels is below 0, or more than reduce the image to one pixel.

    References:
        P. J. Burt and E. H. Adelson, "A multiresolution spline with application to image mosaics",
        ACM Trans. Graphics 2(4), 1983. doi:10.1145/245.247
    """
    checks.image(image, "blend")
    second, mask = _matching(with_, image, "with"), _matching(mask, image, "mask")
    _check_colours(image, second)
    weights = _gaussian_pyramid(luminance(mask), _levels(image, levels))
    # Blending is linear, so one pyramid suffices: that of the images' difference.
    channels = zip(image.split(1, 1), second.expand_as(image).split(1, 1), strict=True)
    return torch.cat([a + _weighted(weights, b - a) for a, b in channels], 1).clamp_(0, 1)


def _gaussian_pyramid(mask: Tensor, levels: int) -> list[Tensor]:
    """The mask, then each level half the size of the one before."""
    weights = [mask.clamp(0, 1)]
    for _ in range(levels):
        weights.append(laplacian.reduce(weights[-1]))
    return weights


def _weighted(weights: list[Tensor], difference: Tensor) -> Tensor:
    """The difference with each level of its Laplacian pyramid times the weights of its size."""
    if len(weights) == 1:
        return weights[0] * difference
    bands, residual = laplacian.build(difference, len(weights) - 1)
    levels = [weight * level for weight, level in zip(weights, (*bands, residual), strict=True)]
    return laplacian.collapse(levels[:-1], levels[-1])


def _levels(image: Image, levels: int | None) -> int:
    if levels is None:
        return max(0, int(math.log2(min(image.shape[2:]))) - _MARGIN)
    max_levels = math.ceil(math.log2(max(image.shape[2:])))  # down to one pixel
    checks.between(levels, 0, max_levels, "blend", "levels")
    return levels


def _matching(x: Image, image: Image, name: str) -> Image:
    """An additional input, checked to have the image's size and its batch size or 1."""
    checks.image(x, f"blend's {name}")
    if x.shape[2:] != image.shape[2:]:
        (height, width), (rows, columns) = image.shape[2:], x.shape[2:]
        raise BadImage(
            f"blend needs {name} of the image's size, {height}×{width}, got {rows}×{columns}. "
            "Resize or crop it first."
        )
    if len(x) not in (1, len(image)):
        raise BadImage(
            f"blend needs one {name} for all images or one for each of {len(image)}, got {len(x)}."
        )
    return x.to(image)


def _check_colours(image: Image, second: Image) -> None:
    if second.shape[1] > image.shape[1]:
        raise BadImage(
            "blend needs a gray image to go into a gray one, got 3 channels for 1. "
            "Try image.expand(-1, 3, -1, -1), or swap the images and invert the mask."
        )
