"""Posterising."""

import torch
from torch import Tensor

from imrep import checks
from imrep.errors import BadImage
from imrep.ops.colour import from_lab, to_lab
from imrep.ops.kmeans import kmeans
from imrep.ops.tiling import each, strips
from imrep.types import Image

_FITTED = 2**16  # pixels from which the colours are found: their means are then sure to 1 / 256
_ROUNDS = 20
_COLOURFUL = 2.2  # L / 100 and a, b / 220 back to one unit


def poster(image: Image, *, colours: int = 6, seed: int = 0) -> Image:
    """The image in a few flat colours, those that k-means finds in it.

    Colours are gathered in L*a*b*, where distance is about how different they look: in RGB, dark
    shades that the eye tells apart would share one. Large images are judged by 65,536 of their
    pixels; then each pixel takes the nearest colour. An image of fewer colours stays as it is.

    Args:
        image: (b, 1|3, h, w), values in [0, 1].
        colours: How many at most, 1 to 256; time grows with them.
        seed: Of the pixels drawn and of the first colours; the same seed gives the same poster.

    Raises:
        BadImage: If it is no batch of images, or has fewer pixels than colours.
        BadParameter: If a parameter is out of its range.

    References:
        J. MacQueen, "Some methods for classification and analysis of multivariate observations",
        5th Berkeley Symposium, 1967. https://projecteuclid.org/euclid.bsmsp/1200512992
    """
    checks.image(image, "poster")
    checks.between(colours, 1, 256, "poster", "colours")
    checks.between(seed, 0, 2**31, "poster", "seed")
    height, width = image.shape[2:]
    if colours > height * width:
        raise BadImage(
            f"poster needs images of at least {colours} pixels at colours={colours}, got "
            f"{height}×{width}. Use colours={height * width}."
        )
    return torch.cat([_posterised(one, colours, seed) for one in image.split(1)])


def _posterised(image: Tensor, colours: int, seed: int) -> Tensor:
    """One image (1, c, h, w)."""
    centres, _ = kmeans(_drawn(image, seed), colours, iterations=_ROUNDS, seed=seed)
    palette = _shown(centres, image.shape[1])
    offset = -centres.square().sum(1, keepdim=True) / 2
    out = torch.empty_like(image)

    def one(rows: slice) -> None:
        points = _points(image[:, :, rows])
        # Nearest is where x · c - |c|² / 2 is greatest; the first of equals.
        nearest = torch.addmm(offset, centres, points.flatten(1)).max(0).indices
        out[0, :, rows] = palette[:, nearest].view_as(out[0, :, rows])

    each(one, strips(image), image)
    return out


def _drawn(image: Tensor, seed: int) -> Tensor:
    """Some pixels as points of colour, (n, 3)."""
    pixels = image.flatten(2)
    if pixels.shape[2] > _FITTED:
        chance = torch.Generator().manual_seed(seed)
        places = torch.randint(pixels.shape[2], (_FITTED,), generator=chance)
        pixels = pixels[:, :, places.to(pixels.device)]
    return _points(pixels.unsqueeze(3)).flatten(1).T.contiguous()


def _points(image: Tensor) -> Tensor:
    """(1, c, h, w) as (3, h, w) of L*a*b*, 100 units being 1."""
    lab = to_lab(image.expand(-1, 3, -1, -1))[0]
    lab[1:] *= _COLOURFUL
    return lab


def _shown(centres: Tensor, channels: int) -> Tensor:
    """Points of colour (n, 3) as RGB or gray, (channels, n)."""
    lab = centres.T.clone()
    lab[1:] /= _COLOURFUL
    return from_lab(lab[None, :, :, None])[0, :channels, :, 0]
