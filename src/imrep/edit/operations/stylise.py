"""Stylising into a drawing."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep import checks
from imrep.edit import measurements
from imrep.ops.bilateral.filter import bilateral_filter
from imrep.ops.colour import from_lab, lightness, to_lab
from imrep.ops.filter.gaussian import gaussian, smooth
from imrep.ops.filter.strips import by_rows
from imrep.ops.tiling import each, strips
from imrep.types import Image

_WIDE, _LINE = 0.006, 0.0015  # of the longer side
_RATIO, _TAU = 1.6, 0.98  # of the two Gaussians' widths and weights: Winnemöller 2006, section 3.3
_FIRM = 4.0  # half a bin over the width of the step in it


def stylise(
    image: Image,
    *,
    passes: int = 2,
    sigma_space: float | None = None,
    sigma_range: float = 0.06,
    bins: int = 8,
    edges: float = 1.0,
    sigma_edge: float | None = None,
) -> Image:
    """The image as a drawing: smoothed between edges, in few shades, with dark outlines.

    In L*a*b*: a bilateral filter, repeated, flattens what is not an edge; lightness takes few
    values, each step between them a soft one; where the difference of two Gaussians of lightness
    is negative, on the dark side of edges, a line is drawn. Widths follow the size of the image, so
    that it looks the same at any.

    The paper's filter looks at differences of colour, this one at those of lightness only; chroma
    is smoothed once, along with the last pass and at half the size; and the paper softens steps
    less where the image is steeper, which matters in films.

    Args:
        image: (b, 1|3, h, w), values in [0, 1].
        passes: Rounds of the bilateral filter, 1 to 10.
        sigma_space: Its standard deviation of distance, in pixels; default: 0.006 of the longer
            side.
        sigma_range: Its standard deviation of lightness, L* / 100.
        bins: Steps of lightness from black to white, 2 to 256.
        edges: How dark and firm lines are; 0 draws none, 1 some, 5 many.
        sigma_edge: Standard deviation of the narrower Gaussian, in pixels: half the width of a
            line; default: 0.0015 of the longer side.

    Raises:
        BadImage: If it is no batch of images, or too large for so small deviations.
        BadParameter: If a parameter is out of its range.

    References:
        H. Winnemöller, S. C. Olsen and B. Gooch, "Real-time video abstraction", SIGGRAPH 2006.
        doi:10.1145/1179352.1142018
    """
    checks.image(image, "stylise")
    checks.between(passes, 1, 10, "stylise", "passes")
    checks.between(bins, 2, 256, "stylise", "bins")
    checks.between(edges, 0, 100, "stylise", "edges")
    longer = max(image.shape[2:])
    space = _WIDE * longer if sigma_space is None else sigma_space
    line = _LINE * longer if sigma_edge is None else sigma_edge
    checks.between(line, 0, 100, "stylise", "sigma_edge")
    measurements.record("stylise", sigma_space=space, sigma_edge=line)
    smoothed = partial(
        bilateral_filter, sigma_space=space, sigma_range=sigma_range, caller="stylise"
    )
    done = []
    for one in image.split(1):
        light = _lightness(one)
        for _ in range(passes):
            guide, light = light, smoothed(light, light)
        chroma = _chroma(one, guide, space, sigma_range)
        lines = _lines(light, line, edges) if edges else torch.ones_like(light)
        done.append(_drawn(_shades(light, bins).mul_(lines), chroma)[:, : image.shape[1]])
    return torch.cat(done) if len(done) > 1 else done[0]


def _lightness(image: Tensor) -> Tensor:
    light = torch.empty_like(image[:, :1])

    def one(rows: slice) -> None:
        light[:, :, rows] = lightness(image[:, :, rows])

    each(one, strips(image), image)
    return light


def _chroma(image: Tensor, guide: Tensor, space: float, spread: float) -> Tensor:
    """A and b (1, 2, h, w) smoothed at half the size: the eye cannot tell."""
    size = image.shape[2:]
    if image.shape[1] == 1:
        return image.new_zeros(1, 2, 1, 1).expand(-1, -1, *size)
    small, edges = _halved(image), _halved(guide)
    parts = each(lambda rows: to_lab(small[:, :, rows])[:, 1:], strips(small), small)
    chroma = torch.cat(parts, dim=2)
    chroma = bilateral_filter(
        chroma, edges, sigma_space=space / 2, sigma_range=spread, caller="stylise"
    )
    return F.interpolate(chroma, size, mode="bilinear")


def _halved(x: Tensor) -> Tensor:
    """Means of two pixels of each four, those on a diagonal."""
    odd = x.shape[2] % 2, x.shape[3] % 2
    x = F.pad(x, (0, odd[1], 0, odd[0]), mode="replicate") if any(odd) else x
    return (x[..., ::2, ::2] + x[..., 1::2, 1::2]).mul_(0.5)


def _lines(light: Tensor, sigma: float, edges: float) -> Tensor:
    """What lightness is multiplied by: 1, less in lines."""
    narrow, wide = (gaussian(s, round(3 * s)) if s else [1.0] for s in (sigma, _RATIO * sigma))
    off = (len(wide) - len(narrow)) // 2

    def line(rows: Tensor) -> Tensor:
        inner = rows[off : len(rows) - off]
        difference = smooth(inner, narrow).sub_(smooth(rows, wide), alpha=_TAU)
        return difference.mul_(100 * edges).clamp_(max=0).tanh_().add_(1)

    return by_rows(light, len(wide) // 2, line)


def _shades(light: Tensor, bins: int) -> Tensor:
    """Lightness near multiples of 1 / bins, and soft steps of 1 / bins there."""
    out = torch.empty_like(light)

    def one(rows: slice) -> None:
        scaled = light[:, :, rows] * bins
        near = scaled.round()
        out[:, :, rows] = scaled.sub_(near).mul_(_FIRM).tanh_().mul_(0.5).add_(near).div_(bins)

    each(one, strips(light), light)
    return out.clamp_(0, 1)


def _drawn(light: Tensor, chroma: Tensor) -> Tensor:
    """RGB of lightness and chroma."""
    out = torch.empty_like(light.expand(-1, 3, -1, -1), memory_format=torch.contiguous_format)

    def one(rows: slice) -> None:
        out[:, :, rows] = from_lab(torch.cat([light[:, :, rows], chroma[:, :, rows]], dim=1))

    each(one, strips(out), light, chroma)
    return out
