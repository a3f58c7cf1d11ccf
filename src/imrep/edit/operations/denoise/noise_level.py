"""How much noise is in an image, also where it is correlated from pixel to pixel.

White noise is as strong in the finest waves as in all others, and little else is there. What a
camera writes has gone through the interpolation of its colours and through JPEG, which leave the
noise of middle waves and take that of fine ones. Then blocks of plain parts tell: noise alone gives
most of them nearly the same strength of middle waves, while the strengths of texture spread wide.

References:
    D. L. Donoho and I. M. Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika
    81(3), 1994. doi:10.1093/biomet/81.3.425
    M. Colom, M. Lebrun, A. Buades and J.-M. Morel, "A non-parametric approach for the estimation
    of intensity-frequency dependent noise", ICIP 2014. doi:10.1109/ICIP.2014.7025865
"""

import math

import torch
from torch import Tensor

from imrep.edit.operations.denoise.shrinkage import SIDE, deviations
from imrep.ops.fourier.dct import basis

_MIDDLE = (2, 4)  # sums of the two frequencies' numbers that are middle waves
_BLOCKS = 150  # side by side, at least, for their strengths to be counted
_SAMPLES = 64  # blocks per axis, at least
_EXPOSED = (0.03, 0.97)  # mean brightness of blocks that count: noise is cut off beyond
_WIDTH = 1.3  # strengths within this factor of each other count as one
_SHARE = 0.3  # of the blocks, at least, are as strong as the noise
_STRONGEST = 0.15  # beyond it, it is texture
_RATIO = (3.0, 25.0)  # of middle to finest waves: below it is white, above it is smooth texture
_CERTAIN = 0.5  # share of the blocks from which on the ratio may be twice as large
_STEPS = 100  # strengths tried, from 0.001 to _STRONGEST and beyond
_COLOURLESS = 1 / 255  # deviation of colour differences in a gray picture that was scanned as RGB


def measure(image: Tensor, axes: Tensor) -> tuple[list[float], float]:
    """The standard deviation of the noise on each axis, and that of one channel.

    Args:
        image: (c, h, w), values in [0, 1], sides of at least 8.
        axes: The colours' axes (c, c), orthonormal, the first of them gray.
    """
    fine = deviations(image, axes)
    gray = torch.tensordot(axes[0], image, 1)
    coarse, share = _middle(gray, len(axes))
    least, greatest = (bound * float(fine[0]) for bound in _RATIO)
    if coarse and least <= coarse <= (2 * greatest if share >= _CERTAIN else greatest):
        return [coarse] * len(axes), coarse
    if len(axes) == 3 and _is_colourless(image, axes):
        return fine.tolist(), float(fine[0]) / math.sqrt(len(axes))
    level = float(fine.min())
    return [level] * len(axes), level


def _is_colourless(image: Tensor, axes: Tensor) -> bool:
    return all(float(torch.tensordot(axis, image, 1).std()) < _COLOURLESS for axis in axes[1:])


def _middle(plane: Tensor, channels: int) -> tuple[float, float]:
    """The commonest strength of middle waves, 0 where none is common; and the share that has it."""
    height, width = plane.shape
    if (height // SIDE) * (width // SIDE) < _BLOCKS:
        return 0.0, 0.0
    step = max(1, min(SIDE, min(height, width) // _SAMPLES))
    rows = basis(SIDE, plane)[: _MIDDLE[1] + 1]
    blocks = plane.unfold(0, SIDE, step).unfold(1, SIDE, step)
    waves = torch.einsum("ui,abij->abuj", rows, blocks)
    waves = torch.einsum("vj,abuj->abuv", rows, waves).flatten(0, 1)
    mean = waves[:, 0, 0] / (SIDE * math.sqrt(channels))
    u = torch.arange(len(rows))
    chosen = (u[:, None] + u >= _MIDDLE[0]) & (u[:, None] + u <= _MIDDLE[1])
    strengths = waves[:, chosen.to(waves.device)].square().mean(1).sqrt()
    strengths = strengths[(mean > _EXPOSED[0]) & (mean < _EXPOSED[1])].sort().values
    tried = torch.logspace(-3, -0.5, _STEPS).to(strengths)
    counts = torch.searchsorted(strengths, tried * _WIDTH)
    counts -= torch.searchsorted(strengths, tried / _WIDTH)
    best = int(counts.argmax())
    level = float(tried[best])
    share = int(counts[best]) / len(waves)
    return (level if share >= _SHARE and level <= _STRONGEST else 0.0), share
