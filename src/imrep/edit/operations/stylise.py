"""Stylisation as a drawing."""

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
from imrep.registry.signatures import renamed
from imrep.types import Image

_SPACE, _LINE = 0.006, 0.0015  # standard deviations, as shares of the longer side
_RATIO, _TAU = 1.6, 0.98  # of the two Gaussians' widths and weights: Winnemöller 2006, section 3.3
_STEEPNESS = 4.0  # half a bin over the width of the step in it


@renamed(passes="iterations")
def stylise(
    image: Image,
    *,
    iterations: int = 2,
    sigma_space: float | None = None,
    sigma_range: float = 0.06,
    bins: int = 8,
    edges: float = 1.0,
    sigma_edge: float | None = None,
) -> Image:
    """Stylisation as a drawing: smoothed between edges, few shades, dark outlines.

    In L*a*b*: a repeated bilateral filter flattens regions between edges; lightness is quantised
    with soft steps; lines are drawn where the difference of two Gaussians of lightness is negative,
    on the dark side of edges. Widths are proportional to the image, so that the result looks the
    same at any size.

    The paper's filter weighs differences of colour, this one those of lightness only; chroma is
    smoothed once, in the last iteration and at half the size; and the paper varies the softness of
    steps with the gradient, which matters in video.

    Args:
        image: (b, 1|3, h, w), values in [0, 1].
        iterations: Iterations of the bilateral filter, 1 to 10.
        sigma_space: The filter's standard deviation of distance, in pixels; default: 0.006 of the
            longer side.
        sigma_range: The filter's standard deviation of lightness, L* / 100.
        bins: Levels of lightness from black to white, 2 to 256.
        edges: Strength of the lines; 0 draws none, 1 few, 5 many.
        sigma_edge: Standard deviation of the narrower Gaussian, in pixels: half the width of a
            line; default: 0.0015 of the longer side.

    Raises:
        BadImage: The input is not a batch of images, or too large for the deviations' grid.
        BadParameter: A parameter is out of its range.

    References:
        H. Winnemöller, S. C. Olsen and B. Gooch, "Real-time video abstraction", SIGGRAPH 2006.
        doi:10.1145/1179352.1142018
    """
    checks.image(image, "stylise")
    checks.between(iterations, 1, 10, "stylise", "iterations")
    checks.between(bins, 2, 256, "stylise", "bins")
    checks.between(edges, 0, 100, "stylise", "edges")
    longer = max(image.shape[2:])
    space = _SPACE * longer if sigma_space is None else sigma_space
    line = _LINE * longer if sigma_edge is None else sigma_edge
    checks.between(line, 0, 100, "stylise", "sigma_edge")
    measurements.record("stylise", sigma_space=space, sigma_edge=line)
    smoothed = partial(
        bilateral_filter, sigma_space=space, sigma_range=sigma_range, caller="stylise"
    )
    drawings = []
    for single in image.split(1):
        light = _lightness(single)
        for _ in range(iterations):
            guide, light = light, smoothed(light, light)
        chroma = _chroma(single, guide, space, sigma_range)
        lines = _lines(light, line, edges) if edges else torch.ones_like(light)
        shaded = _quantised(light, bins).mul_(lines)
        drawings.append(_to_rgb(shaded, chroma)[:, : image.shape[1]])
    return torch.cat(drawings) if len(drawings) > 1 else drawings[0]


def _lightness(image: Tensor) -> Tensor:
    light = torch.empty_like(image[:, :1])

    def convert(rows: slice) -> None:
        light[:, :, rows] = lightness(image[:, :, rows])

    each(convert, strips(image), image)
    return light


def _chroma(image: Tensor, guide: Tensor, space: float, spread: float) -> Tensor:
    """A and b (1, 2, h, w), smoothed at half the size: the eye resolves chroma coarsely."""
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
    """Half the rows and columns: means of the diagonal pixels of each 2 × 2."""
    odd = x.shape[2] % 2, x.shape[3] % 2
    x = F.pad(x, (0, odd[1], 0, odd[0]), mode="replicate") if any(odd) else x
    return (x[..., ::2, ::2] + x[..., 1::2, 1::2]).mul_(0.5)


def _lines(light: Tensor, sigma: float, edges: float) -> Tensor:
    """Factor of lightness: 1, and less in lines."""
    narrow, wide = (gaussian(s, round(3 * s)) if s else [1.0] for s in (sigma, _RATIO * sigma))
    margin = (len(wide) - len(narrow)) // 2  # rows that the wide kernel alone reaches

    def draw_lines(rows: Tensor) -> Tensor:
        inner = rows[margin : len(rows) - margin]
        difference = smooth(inner, narrow).sub_(smooth(rows, wide), alpha=_TAU)
        return difference.mul_(100 * edges).clamp_(max=0).tanh_().add_(1)

    return by_rows(light, len(wide) // 2, draw_lines)


def _quantised(light: Tensor, bins: int) -> Tensor:
    """Lightness in levels of 1 / bins, with soft steps at its multiples."""
    out = torch.empty_like(light)

    def quantise(rows: slice) -> None:
        scaled = light[:, :, rows] * bins
        step = scaled.round()
        out[:, :, rows] = scaled.sub_(step).mul_(_STEEPNESS).tanh_().mul_(0.5).add_(step).div_(bins)

    each(quantise, strips(light), light)
    return out.clamp_(0, 1)


def _to_rgb(light: Tensor, chroma: Tensor) -> Tensor:
    """RGB of lightness and chroma."""
    out = torch.empty_like(light.expand(-1, 3, -1, -1), memory_format=torch.contiguous_format)

    def convert(rows: slice) -> None:
        out[:, :, rows] = from_lab(torch.cat([light[:, :, rows], chroma[:, :, rows]], dim=1))

    each(convert, strips(out), light, chroma)
    return out
