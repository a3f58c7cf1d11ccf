"""Block-DCT transform coding of one plane: 8 × 8 blocks, quantised as in JPEG.

Each frequency has a quantisation step of its own, wider where the eye is less sensitive. The
quantiser has a dead zone: rounding towards zero saves more bits than it adds error.

References:
    ITU-T Recommendation T.81, "Digital compression and coding of continuous-tone still images:
    requirements and guidelines", 1992.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.ops.fourier.dct import basis
from imrep.ops.tiling import cut, each

_BLOCK = 8
_ROUNDING = 0.4  # added before truncation; 0.5 rounds to the nearest level
_STRIP = 1 << 19  # samples transformed together

# T.81, tables K.1 and K.2: steps of luma and chroma in 8-bit levels, at quality 50.
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
_MAX_STEP, _MIN_STEP = 255, 0.25
# Frequencies by u + v: the zigzag scan's order of diagonals, so that runs of zeros are long.
_SCAN = sorted(range(_BLOCK**2), key=lambda i: (sum(divmod(i, _BLOCK)), i))


def coarse_size(size: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of the blocks that cover a plane of this size."""
    height, width = size
    return -(-height // _BLOCK), -(-width // _BLOCK)


def detail_count(size: tuple[int, int]) -> int:
    """Number of AC coefficients of a plane of this size."""
    rows, columns = coarse_size(size)
    return (_BLOCK**2 - 1) * rows * columns


def analyse(plane: Tensor, scale: float, luma: bool) -> tuple[Tensor, Tensor]:
    """Quantised DC coefficients (rows, columns), and AC coefficients frequency by frequency.

    Both are int16, in units of the step times `scale`. The plane's last row and column are
    repeated to complete the blocks.
    """
    rows, columns = coarse_size((plane.shape[0], plane.shape[1]))
    coefficients = torch.empty(_BLOCK**2, rows, columns, dtype=torch.int16)
    transform = _transform() / _steps(scale, luma)
    rounding = torch.tensor([[0.5], *[[_ROUNDING]] * (_BLOCK**2 - 1)])  # DC has no dead zone

    def encode_strip(part: slice) -> None:
        strip = plane[part.start * _BLOCK : part.stop * _BLOCK]
        pad_bottom = (part.stop - part.start) * _BLOCK - len(strip)
        pad_right = columns * _BLOCK - plane.shape[1]
        strip = F.pad(strip[None], (0, pad_right, 0, pad_bottom), mode="replicate")[0]
        # (block row, y, block column, x) to (y, x, block row, block column)
        strip = strip.view(-1, _BLOCK, columns, _BLOCK).permute(1, 3, 0, 2)
        scaled = transform @ strip.reshape(_BLOCK**2, -1)
        # Assignment to int16 truncates towards zero, after the sign's share of rounding.
        coefficients[:, part] = scaled.add_(rounding.copysign(scaled)).view(_BLOCK**2, -1, columns)

    each(encode_strip, _strips(rows, columns), plane)
    return coefficients[0], coefficients[1:].flatten()


def synthesise(
    coarse: Tensor, details: Tensor, size: tuple[int, int], scale: float, luma: bool
) -> Tensor:
    """The plane of this size from what `analyse` returns for it."""
    rows, columns = coarse.shape
    coefficients = details.view(-1, rows, columns)
    plane = torch.empty(rows * _BLOCK, columns * _BLOCK)
    inverse = (_transform() * _steps(scale, luma)).mT.contiguous()

    def decode_strip(part: slice) -> None:
        strip = torch.cat([coarse[None, part], coefficients[:, part]]).flatten(1).float()
        strip = (inverse @ strip).view(_BLOCK, _BLOCK, -1, columns).permute(2, 0, 3, 1)
        plane[part.start * _BLOCK : part.stop * _BLOCK] = strip.reshape(-1, columns * _BLOCK)

    each(decode_strip, _strips(rows, columns), details)
    return plane[: size[0], : size[1]]


def _steps(scale: float, luma: bool) -> Tensor:
    """Quantisation steps (64, 1) in the order of the scan, for values in [0, 1]."""
    table = torch.tensor(_LUMA if luma else _CHROMA)[_SCAN, None]
    return (table * scale).clamp(_MIN_STEP, _MAX_STEP) / _LEVELS


def _transform() -> Tensor:
    """The two-dimensional DCT as a matrix (64, 64): a row for each frequency of the scan."""
    line = basis(_BLOCK, torch.empty(0))
    return torch.kron(line, line)[_SCAN]


def _strips(rows: int, columns: int) -> list[slice]:
    return cut(rows, max(1, _STRIP // (columns * _BLOCK**2)))
