"""Frequencies of an image, or of its blocks."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from imrep.codes.code import Code
from imrep.ops.pooling import means
from imrep.types import Vectors

_EPSILON = 1e-8  # power below this is rounding: log(power + epsilon) stays finite
_RINGS = 16


@dataclass(frozen=True, repr=False)
class Spectrum(Code):
    """Frequencies of the whole image (complex), or of blocks, one tensor per plane.

    `values` is complex (b, c, H, W), zero frequency first, or a tuple of (b, u, v, hᵢ, wᵢ) whose u
    and v are the vertical and horizontal frequency within a block and hᵢ × wᵢ the blocks.
    `sampling` holds the vertical and horizontal sampling factor of each plane where they differ, as
    in a JPEG: a plane with half the greatest factor has half the rows, or columns.
    """

    values: Tensor | tuple[Tensor, ...]
    size: tuple[int, int]
    sampling: tuple[tuple[int, int], ...] = ()

    def pool(self, cells: int = 2) -> Vectors:
        if isinstance(self.values, tuple):
            blocks = [plane.flatten(1, 2) for plane in self.values]
            return torch.cat([(means(b.square(), cells) + _EPSILON).log() for b in blocks], dim=1)
        return (_rings(self.values.abs().square()) + _EPSILON).log()


def _rings(power: Tensor) -> Tensor:
    """Mean power in rings of equal width up to the corner frequency, (b, c * rings)."""
    height, width = power.shape[2:]
    radius = torch.hypot(
        torch.fft.fftfreq(height, device=power.device)[:, None],
        torch.fft.fftfreq(width, device=power.device)[None, :],
    )
    ring = (radius * (_RINGS / math.sqrt(0.5))).long().clamp_max(_RINGS - 1).flatten()
    count = torch.bincount(ring, minlength=_RINGS).clamp_min(1).to(power)
    total = power.new_zeros(*power.shape[:2], _RINGS).index_add(2, ring, power.flatten(2))
    return (total / count).flatten(1)
