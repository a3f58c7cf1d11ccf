"""Kernels: weights in a matrix, by name, in words or from a file, and how they meet an image.

A kernel's element (rows // 2, columns // 2) lies on the pixel; borders mirror the image without
repeating its edge.
"""

import re
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imrep.errors import BadParameter
from imrep.ops.filter import gaussian as gaussian_filter
from imrep.ops.filter.borders import mirror

Matrix = NDArray[np.float64]

FIXED = {
    "sharpen": "0 -1 0; -1 5 -1; 0 -1 0",
    "sharpen_soft": "-1/10 -2/10 -1/10; -2/10 22/10 -2/10; -1/10 -2/10 -1/10",
    "edge": "-1 -1 -1; -1 8 -1; -1 -1 -1",
    "laplacian": "0 1 0; 1 -4 1; 0 1 0",
}
NAMES = (*FIXED, "unsharp", "gaussian", "box", "shift")

_LARGEST = 255  # pixels a side; more is better said in frequencies
_FEW = 25  # weights up to which adding shifted copies beats separating them
_ROUNDING = 1e-12  # of the largest weight, or of the sum of all
_NUMBER = re.compile(r"[-+]?[\d.][\d.eE/+-]*")


def read(words: str, who: str) -> Matrix:
    """A matrix in words, "1 2; 3 4" with spaces or commas between numbers, or in a file.

    Raises:
        BadParameter: If it is neither, or holds no matrix of finite numbers.
    """
    if all(_NUMBER.fullmatch(token) for token in re.split(r"[\s,;]+", words.strip()) if token):
        return _parsed(words, who)
    path = Path(words)
    try:
        if path.suffix == ".npy":
            return _checked(np.load(path, allow_pickle=False), who)
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise BadParameter(
            f"{who} needs {', '.join(NAMES)}, a matrix as '0 1 0; 1 -4 1; 0 1 0', or a .txt, .csv "
            f"or .npy file of one, got {words!r} ({reason})."
        ) from error
    return _parsed(text, who)


def text(matrix: Matrix) -> str:
    """A matrix in words, from which `read` makes the same."""
    rows = matrix.tolist()
    return "; ".join(" ".join(repr(x).removesuffix(".0") for x in row) for row in rows)


def delta(rows: int, columns: int) -> Matrix:
    """One in the middle, zero elsewhere: the image as it is."""
    matrix = np.zeros((rows, columns))
    matrix[rows // 2, columns // 2] = 1
    return matrix


def shift(dx: int, dy: int) -> Matrix:
    """Moves the image by dx to the right and dy down; what comes in is mirrored."""
    matrix = np.zeros((2 * abs(dy) + 1, 2 * abs(dx) + 1))
    matrix[abs(dy) - dy, abs(dx) - dx] = 1  # a correlation looks where the image came from
    return matrix


def box(size: int) -> Matrix:
    """The mean of size × size pixels."""
    return np.full((size, size), 1 / size**2)


def gaussian(sigma: float, size: int | None = None) -> Matrix:
    """A sampled Gaussian of sum one; its side reaches four standard deviations if not given."""
    line = np.array(
        gaussian_filter.gaussian(sigma, round(4 * sigma) if size is None else size // 2)
    )
    return np.outer(line, line)


def unsharp(alpha: float, sigma: float, size: int | None = None) -> Matrix:
    """The image and `alpha` times what a Gaussian blur takes from it."""
    low = gaussian(sigma, size)
    same = delta(*low.shape)
    return same + alpha * (same - low)


def unit(matrix: Matrix, who: str) -> Matrix:
    """The matrix over the sum of its weights.

    Raises:
        BadParameter: If that is zero.
    """
    if not has_sum(matrix):
        raise BadParameter(
            f"{who} needs weights whose sum is not zero to normalise them, got {text(matrix)!r}. "
            "Leave out normalise."
        )
    return matrix / matrix.sum()


def has_sum(matrix: Matrix) -> bool:
    """Whether the sum of the weights is more than rounding: whether brightness passes."""
    return abs(float(matrix.sum())) > _ROUNDING * float(np.abs(matrix).sum())


def symmetric(matrix: Matrix) -> bool:
    """Whether it has a middle and is its own image in a mirror, left to right and upside down."""
    odd = matrix.shape[0] % 2 == 1 and matrix.shape[1] % 2 == 1
    return odd and bool((matrix == matrix[::-1]).all() and (matrix == matrix[:, ::-1]).all())


def gain(matrix: Matrix, y: Tensor, x: Tensor) -> Tensor:
    """What a symmetric kernel multiplies waves of y and x cycles per pixel by, (len(y), len(x))."""
    weights = torch.from_numpy(matrix).to(y)
    down, right = (torch.arange(n).to(y) - n // 2 for n in matrix.shape)
    tall, wide = (torch.cos(2 * torch.pi * f[:, None] * i) for f, i in ((y, down), (x, right)))
    return tall @ weights @ wide.mT


def correlate(image: Tensor, matrix: Matrix) -> Tensor:
    """Weighted sums of each pixel's neighbours, (b, c, h, w) to the same; linear."""
    height, width = image.shape[2:]
    up, left = matrix.shape[0] // 2, matrix.shape[1] // 2
    wide = mirror(image, max(up, left))
    top, first = max(up, left) - up, max(up, left) - left
    if np.count_nonzero(matrix) <= _FEW:
        total = torch.zeros_like(image)
        for i, j in zip(*np.nonzero(matrix), strict=True):
            here = wide[..., top + i : top + i + height, first + j : first + j + width]
            total = total.add(here, alpha=float(matrix[i, j]))
        return total
    wide = wide.narrow(2, top, height + matrix.shape[0] - 1)
    wide = wide.narrow(3, first, width + matrix.shape[1] - 1)
    parts = [
        gaussian_filter.along(gaussian_filter.along(wide, row, -1), column, -2)
        for column, row in _separated(matrix)
    ]
    return torch.stack(parts).sum(0) if len(parts) > 1 else parts[0]


def _separated(matrix: Matrix) -> Iterable[tuple[list[float], list[float]]]:
    """Columns and rows whose products sum to the matrix: one pair for a Gaussian or a box."""
    columns, sizes, rows = np.linalg.svd(matrix)
    for i in range(int((sizes > _ROUNDING * sizes[0]).sum())):
        yield (columns[:, i] * sizes[i]).tolist(), rows[i].tolist()


def _parsed(words: str, who: str) -> Matrix:
    rows = [re.findall(r"[^\s,]+", row) for row in re.split(r"[;\n]", words)]
    rows = [row for row in rows if row]
    try:
        numbers = [[float(Fraction(token)) for token in row] for row in rows]
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise BadParameter(f"{who} cannot read a matrix from {words!r}: {error}.") from error
    lengths = sorted({len(row) for row in rows})
    if len(lengths) != 1:
        found = " and ".join(map(str, lengths)) or "no"
        raise BadParameter(
            f"{who} needs a matrix with rows of one length, got {found} numbers in {words!r}. "
            "Put semicolons between the rows."
        )
    return _checked(np.array(numbers), who)


def _checked(matrix: NDArray, who: str) -> Matrix:
    fits = matrix.ndim == 2 and matrix.size and max(matrix.shape) <= _LARGEST
    if not fits or matrix.dtype.kind not in "fiu" or not np.isfinite(matrix).all():
        raise BadParameter(
            f"{who} needs a matrix of finite numbers of at most {_LARGEST}×{_LARGEST}, got "
            f"{matrix.dtype} {'×'.join(map(str, matrix.shape))}. Check the file."
        )
    return matrix.astype(np.float64)
