"""Planes as rounded cosines of 8 × 8 blocks, after JPEG.

Each frequency has a step of its own, the wider the less the eye sees of it. Rounding leans towards
zero, which saves more bits than it costs error.

References:
    ITU-T Recommendation T.81, "Digital compression and coding of continuous-tone still images:
    requirements and guidelines", 1992.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.ops.fourier.dct import basis
from imrep.ops.tiling import cut, each

_SIDE = 8
_LEAN = 0.4  # added before the fraction is cut off; 0.5 would round to the nearest
_STRIP = 1 << 19  # samples at a time

# T.81, tables K.1 and K.2: steps for luma and for chroma with values up to 255, at quality 50.
_LUMA = (
    *(16, 11, 10, 16, 24, 40, 51, 61),
    *(12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56),
    *(14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77),
    *(24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101),
    *(72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA = (
    *(17, 18, 24, 47, 99, 99, 99, 99),
    *(18, 21, 26, 66, 99, 99, 99, 99),
    *(24, 26, 56, 99, 99, 99, 99, 99),
    *(47, 66, 99, 99, 99, 99, 99, 99),
    *(99,) * 32,
)
_LEVELS = 255
_WIDEST, _FINEST = 255, 0.25
# Frequencies from the slowest, those alike beside each other.
_ORDER = sorted(range(_SIDE**2), key=lambda i: (sum(divmod(i, _SIDE)), i))


def rest_size(size: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of blocks that cover a plane of this size."""
    height, width = size
    return -(-height // _SIDE), -(-width // _SIDE)


def count(size: tuple[int, int]) -> int:
    """Details of a plane of this size."""
    rows, columns = rest_size(size)
    return (_SIDE**2 - 1) * rows * columns


def split(plane: Tensor, scale: float, luma: bool) -> tuple[Tensor, Tensor]:
    """The blocks' means and, frequency by frequency, their waves: int16, in steps times `scale`.

    The plane is replicated at the right and at the bottom to whole blocks.
    """
    rows, columns = rest_size((plane.shape[0], plane.shape[1]))
    waves = torch.empty(_SIDE**2, rows, columns, dtype=torch.int16)
    turn = _turn() / _steps(scale, luma)
    lean = torch.tensor([[0.5], *[[_LEAN]] * (_SIDE**2 - 1)])  # means have no side to lean to

    def one(here: slice) -> None:
        strip = plane[here.start * _SIDE : here.stop * _SIDE]
        below = (here.stop - here.start) * _SIDE - len(strip)
        right = columns * _SIDE - plane.shape[1]
        strip = F.pad(strip[None], (0, right, 0, below), mode="replicate")[0]
        strip = strip.view(-1, _SIDE, columns, _SIDE).permute(1, 3, 0, 2)
        found = turn @ strip.reshape(_SIDE**2, -1)
        waves[:, here] = found.add_(lean.copysign(found)).view(_SIDE**2, -1, columns)

    each(one, _strips(rows, columns), plane)
    return waves[0], waves[1:].flatten()


def join(rest: Tensor, details: Tensor, size: tuple[int, int], scale: float, luma: bool) -> Tensor:
    """The plane of this size, as nearly as `split` kept it."""
    rows, columns = rest.shape
    waves = details.view(-1, rows, columns)
    plane = torch.empty(rows * _SIDE, columns * _SIDE)
    back = (_turn() * _steps(scale, luma)).mT.contiguous()

    def one(here: slice) -> None:
        strip = torch.cat([rest[None, here], waves[:, here]]).flatten(1).float()
        strip = (back @ strip).view(_SIDE, _SIDE, -1, columns).permute(2, 0, 3, 1)
        plane[here.start * _SIDE : here.stop * _SIDE] = strip.reshape(-1, columns * _SIDE)

    each(one, _strips(rows, columns), details)
    return plane[: size[0], : size[1]]


def _steps(scale: float, luma: bool) -> Tensor:
    """How far apart each frequency's levels are, (64, 1), from the slowest."""
    table = torch.tensor(_LUMA if luma else _CHROMA)[_ORDER, None]
    return (table * scale).clamp(_FINEST, _WIDEST) / _LEVELS


def _turn() -> Tensor:
    """The waves of a block as rows (64, 64), from the slowest."""
    line = basis(_SIDE, torch.empty(0))
    return torch.kron(line, line)[_ORDER]


def _strips(rows: int, columns: int) -> list[slice]:
    return cut(rows, max(1, _STRIP // (columns * _SIDE**2)))
