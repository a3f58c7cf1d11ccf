"""Noise level of an image, also of noise that is correlated between pixels.

White noise has the same energy at all frequencies, and the highest frequencies hold little else.
Noise of cameras has passed demosaicing and JPEG compression, which preserve middle frequencies and
attenuate high ones. It shows in the blocks of uniform regions: noise alone gives most of them
nearly the same energy at middle frequencies, whereas the energies of texture vary widely. Where
texture covers most of an image, its quietest blocks still tell: without noise there are ever
quieter ones, with it there is a floor.

References:
    D. L. Donoho and I. M. Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika
    81(3), 1994. doi:10.1093/biomet/81.3.425
    M. Colom, M. Lebrun, A. Buades and J.-M. Morel, "A non-parametric approach for the estimation
    of intensity-frequency dependent noise", ICIP 2014. doi:10.1109/ICIP.2014.7025865
"""

import math

import torch
from torch import Tensor

from imrep.edit.operations.denoise.shrinkage import BLOCK, deviations
from imrep.ops.fourier.dct import basis

_MIDDLE = (2, 4)  # range of u + v of the middle frequencies
_MIN_BLOCKS = 150  # side by side, for a distribution of their amplitudes
_SAMPLES = 64  # minimum number of blocks per axis
_EXPOSED = (0.03, 0.97)  # mean brightness of blocks that count: noise is clipped beyond
_TOLERANCE = 1.3  # amplitudes within this factor count as equal
_MIN_SHARE = 0.3  # share of the blocks with the amplitude of the noise
_MAX_NOISE = 0.15  # a larger amplitude is texture
_RATIO = (3.0, 25.0)  # of middle to highest frequencies: below it is white, above smooth texture
_CERTAIN = 0.5  # share of the blocks from which on the ratio may be twice as large
_QUIET_RATIO = (13.0, 25.0)  # of middle to highest frequencies, where only the quietest blocks tell
_QUIET = (1.9 / 255, 7 / 255)  # the 1 % and 5 % quantile of amplitudes: at least; at most
_STEEP = 1.9  # in noise, the 25 % quantile is at most so many times the 5 % quantile
_ABOVE_QUIET = 1.7  # amplitude of noise over the 5 % quantile
_CANDIDATES = 100  # amplitudes tried, from 0.001 to 0.3
_GRAY_SCAN = 1 / 255  # deviation of colour differences in a gray picture that was scanned as RGB


def measure(image: Tensor, axes: Tensor) -> tuple[list[float], float]:
    """The standard deviation of the noise on each axis, and that of one channel.

    Args:
        image: (c, h, w), values in [0, 1], sides of at least 8.
        axes: The colours' axes (c, c), orthonormal, the first of them gray.
    """
    fine = deviations(image, axes)
    gray = torch.tensordot(axes[0], image, 1)
    amplitudes, count = _amplitudes(gray, len(axes))
    coarse, share = _mode(amplitudes, count)
    low, high = (bound * float(fine[0]) for bound in _RATIO)
    if coarse and low <= coarse <= (2 * high if share >= _CERTAIN else high):
        return [coarse] * len(axes), coarse
    low, high = (bound * float(fine[0]) for bound in _QUIET_RATIO)
    quietest = _quietest(amplitudes)
    if quietest and low <= quietest <= high:
        return [quietest] * len(axes), quietest
    if len(axes) == 3 and _is_colourless(image, axes):
        return fine.tolist(), float(fine[0]) / math.sqrt(len(axes))
    level = float(fine.min())
    return [level] * len(axes), level


def is_correlated(image: Tensor, axes: Tensor, level: float) -> bool:
    """Whether a measured level is that of noise at middle frequencies, with little at high ones."""
    return level >= _RATIO[0] * float(deviations(image, axes[:1])[0])


def _is_colourless(image: Tensor, axes: Tensor) -> bool:
    return all(float(torch.tensordot(axis, image, 1).std()) < _GRAY_SCAN for axis in axes[1:])


def _amplitudes(plane: Tensor, channels: int) -> tuple[Tensor, int]:
    """The blocks' amplitudes at middle frequencies, rising; and the number of all blocks.

    Those that are nearly black or white are left out. There are none of small images.
    """
    height, width = plane.shape
    if (height // BLOCK) * (width // BLOCK) < _MIN_BLOCKS:
        return plane.new_zeros(0), 0
    step = max(1, min(BLOCK, min(height, width) // _SAMPLES))
    rows = basis(BLOCK, plane)[: _MIDDLE[1] + 1]
    blocks = plane.unfold(0, BLOCK, step).unfold(1, BLOCK, step)
    dct = torch.einsum("ui,abij->abuj", rows, blocks)
    dct = torch.einsum("vj,abuj->abuv", rows, dct).flatten(0, 1)
    mean = dct[:, 0, 0] / (BLOCK * math.sqrt(channels))
    u = torch.arange(len(rows))
    middle = (u[:, None] + u >= _MIDDLE[0]) & (u[:, None] + u <= _MIDDLE[1])
    amplitudes = dct[:, middle.to(dct.device)].square().mean(1).sqrt()
    exposed = (mean > _EXPOSED[0]) & (mean < _EXPOSED[1])
    return amplitudes[exposed].sort().values, len(dct)


def _mode(amplitudes: Tensor, count: int) -> tuple[float, float]:
    """The most frequent amplitude, 0 without one; and its share of the blocks.

    It is the candidate with the most amplitudes within the tolerance.
    """
    if not count:
        return 0.0, 0.0
    candidates = torch.logspace(-3, -0.5, _CANDIDATES).to(amplitudes)
    counts = torch.searchsorted(amplitudes, candidates * _TOLERANCE)
    counts -= torch.searchsorted(amplitudes, candidates / _TOLERANCE)
    mode = int(counts.argmax())
    level = float(candidates[mode])
    share = int(counts[mode]) / count
    return (level if share >= _MIN_SHARE and level <= _MAX_NOISE else 0.0), share


def _quietest(amplitudes: Tensor) -> float:
    """The amplitude of noise by the quietest blocks, 0 where there are ever quieter ones."""
    if not len(amplitudes):
        return 0.0
    first, low, quarter = (float(amplitudes[len(amplitudes) * k // 100]) for k in (1, 5, 25))
    noisy = first >= _QUIET[0] and low <= _QUIET[1] and quarter <= _STEEP * low
    return _ABOVE_QUIET * low if noisy else 0.0
