"""Posterising."""

import torch
from torch import Tensor

from imrep import checks
from imrep.errors import BadImage
from imrep.ops.colour import from_lab, to_lab
from imrep.ops.kmeans import kmeans
from imrep.ops.tiling import each, strips
from imrep.types import Image

_SAMPLE = 2**16  # pixels that the colours are fitted to: the error of their means is below 1 / 256
_ITERATIONS = 20
_CHROMA_SCALE = 2.2  # from L / 100 and a, b / 220 back to one unit


def poster(image: Image, *, colours: int = 6, seed: int = 0) -> Image:
    """Colour quantisation: a few flat colours, the centres of k-means.

    Colours are clustered in L*a*b*, where distance is about the visible difference: in RGB, dark
    shades that differ visibly would share a cluster. The centres are fitted to at most 65,536
    sampled pixels; then each pixel takes the nearest. An image of fewer colours is unchanged.

    Args:
        image: (b, 1|3, h, w), values in [0, 1].
        colours: Maximum number of colours, 1 to 256; time grows with it.
        seed: Of the sampled pixels and of the initial centres.

    Raises:
        BadImage: The input is not a batch of images, or has fewer pixels than colours.
        BadParameter: A parameter is out of its range.

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
    return torch.cat([_posterised(single, colours, seed) for single in image.split(1)])


def _posterised(image: Tensor, colours: int, seed: int) -> Tensor:
    """One image (1, c, h, w)."""
    centres, _ = kmeans(_sampled(image, seed), colours, iterations=_ITERATIONS, seed=seed)
    palette = _to_rgb(centres, image.shape[1])
    offset = -centres.square().sum(1, keepdim=True) / 2
    out = torch.empty_like(image)

    def quantise(rows: slice) -> None:
        points = _points(image[:, :, rows])
        # The nearest centre c maximises x · c - |c|² / 2; the first of equals.
        nearest = torch.addmm(offset, centres, points.flatten(1)).max(0).indices
        out[0, :, rows] = palette[:, nearest].view_as(out[0, :, rows])

    each(quantise, strips(image), image)
    return out


def _sampled(image: Tensor, seed: int) -> Tensor:
    """Sampled pixels as points in L*a*b*, (n, 3)."""
    pixels = image.flatten(2)
    if pixels.shape[2] > _SAMPLE:
        generator = torch.Generator().manual_seed(seed)
        indices = torch.randint(pixels.shape[2], (_SAMPLE,), generator=generator)
        pixels = pixels[:, :, indices.to(pixels.device)]
    return _points(pixels.unsqueeze(3)).flatten(1).T.contiguous()


def _points(image: Tensor) -> Tensor:
    """(1, c, h, w) as (3, h, w) of L*a*b* / 100."""
    lab = to_lab(image.expand(-1, 3, -1, -1))[0]
    lab[1:] *= _CHROMA_SCALE
    return lab


def _to_rgb(centres: Tensor, channels: int) -> Tensor:
    """Points in L*a*b* (n, 3) as RGB or gray, (channels, n)."""
    lab = centres.T.clone()
    lab[1:] /= _CHROMA_SCALE
    return from_lab(lab[None, :, :, None])[0, :channels, :, 0]
