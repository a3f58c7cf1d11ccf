"""Dense SIFT: descriptors of upright patches on a regular lattice, all at once.

The Gaussian window and the linear sharing between spatial bins separate into rows and columns. So
the orientation votes of the complete image are multiplied by a band matrix along each axis, which
gives the histograms of all patches exactly.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.codes import Points
from imrep.ops import differentiable
from imrep.ops.filter.borders import mirror
from imrep.ops.filter.gaussian import gaussian
from imrep.ops.filter.orientations import soft_votes

ORIENTATIONS = 8
BINS = 4  # spatial bins per side of a patch
DIM = BINS * BINS * ORIENTATIONS

_CELL = 4  # pixels per spatial bin: a patch covers 16 × 16 and fades out over 19 × 19
_SIGMA = 0.8  # blur in pixels: less than Lowe's, since images may be small
_WINDOW = 2.0  # standard deviation in spatial bins, half the patch: Lowe 2004, section 6.1
_CLIP = 0.2  # Lowe 2004, section 6.1
_CONTRAST = 4e-4  # gradient per pixel at which a descriptor has half its length
_RUN = 16  # patches along an axis from one matrix product


def describe(gray: Tensor, step: int) -> Points:
    """Descriptors of upright patches on a centred lattice, cropped at the image's edge."""
    batch, _, height, width = gray.shape
    gx, gy = slopes(gray)
    magnitude, angle = differentiable.polar(gx, -gy)  # anticlockwise, as OpenCV's
    votes = soft_votes(magnitude, angle * (ORIENTATIONS / math.tau), ORIENTATIONS)
    ys, xs = _lattice(height, step), _lattice(width, step)
    votes = _histograms(_histograms(votes, ys).mT, xs)  # (b, 8, columns * 4, rows * 4)
    votes = votes.unflatten(3, (len(ys), BINS)).unflatten(2, (len(xs), BINS))
    values = votes.permute(0, 4, 2, 5, 3, 1).reshape(batch, len(ys) * len(xs), -1)
    xy = torch.cartesian_prod(torch.tensor(ys), torch.tensor(xs)).flip(1).to(gray)
    count = len(xy)
    return Points(
        xy=xy.expand(batch, -1, -1),
        values=_root_sift(values),
        extent=gray.new_full((batch, count), BINS * _CELL),
        angle=gray.new_zeros(batch, count),
        present=torch.ones(batch, count, dtype=torch.bool, device=gray.device),
        size=(height, width),
    )


def slopes(gray: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences per pixel along x and y of the slightly blurred image."""
    radius = math.ceil(3 * _SIGMA)
    weights = gray.new_tensor(gaussian(_SIGMA, radius))
    blurred = F.conv2d(mirror(gray, radius), weights.view(1, 1, 1, -1))
    padded = mirror(F.conv2d(blurred, weights.view(1, 1, -1, 1)), 1)
    gx = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    gy = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    return gx / 2, gy / 2


def _lattice(size: int, step: int) -> list[int]:
    """Patch centres along an axis: whole pixels, `step` apart, equally far from both ends."""
    first = (size - 1) % step // 2
    return list(range(first, size, step))


def _kernel() -> Tensor:
    """Weight of a pixel in each of the four bins, times the window; (pixel, bin), sum 1."""
    radius = math.ceil(_CELL * (BINS + 1) / 2) - 1
    position = torch.arange(-radius, radius + 1, dtype=torch.float64)[:, None] / _CELL
    centres = torch.arange(BINS) - (BINS - 1) / 2
    share = (1 - (position - centres).abs()).clamp_min(0)
    weight = share * torch.exp(-0.5 * (position / _WINDOW) ** 2)
    return weight / weight.sum()


def _histograms(x: Tensor, centres: list[int]) -> Tensor:
    """Weighted sums over axis 2 in the four bins of each patch: (b, 8, n, m) to (b, 8, 4 p, m).

    One product with a band matrix for each run of patches, so that the cost grows in proportion to
    the image. Row 4 p + i of the band holds the kernel of bin i, moved to the centre of patch p.
    """
    kernel = _kernel().to(x)
    radius = len(kernel) // 2
    padded = F.pad(x, (0, 0, radius, radius))
    sums = []
    for start in range(0, len(centres), _RUN):
        run = centres[start : start + _RUN]
        first, last = run[0], run[-1]
        band = torch.stack([F.pad(kernel, (0, 0, c - first, last - c)) for c in run])
        pixels = padded[:, :, first : last + len(kernel)]
        sums.append(band.mT.flatten(0, 1) @ pixels)
    return torch.cat(sums, dim=2)


def _root_sift(values: Tensor) -> Tensor:
    """RootSIFT of raw histograms (b, n, 128), its length fading with the contrast."""
    length = values.norm(dim=2, keepdim=True)
    clipped = (values / length.clamp_min(1e-12)).clamp_max(_CLIP)
    shares = clipped / clipped.sum(2, keepdim=True).clamp_min(1e-12)
    return differentiable.sqrt(shares) * (length / (length + _CONTRAST))
