"""Correlation with a kernel: a matrix of weights by name, as text or from a file.

A kernel's element (rows // 2, columns // 2) lies on the pixel; borders mirror the image without
repeating its edge.
"""

import re
from collections.abc import Iterable
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

_MAX_PX = 255  # per side; larger kernels belong to the frequency domain
_MAX_SHIFTS = 25  # weights up to which adding shifted copies beats separating them
_ROUNDING = 1e-12  # of the largest weight, or of the sum of all
_NUMBER = re.compile(r"[-+]?[\d.][\d.eE/+-]*")


def read(source: str, caller: str) -> Matrix:
    """A matrix from text, "1 2; 3 4" with spaces or commas between numbers, or from a file.

    Raises:
        BadParameter: If it is neither, or holds no matrix of finite numbers.
    """
    if all(_NUMBER.fullmatch(token) for token in re.split(r"[\s,;]+", source.strip()) if token):
        return _parsed(source, caller)
    path = Path(source)
    try:
        if path.suffix == ".npy":
            with path.open("rb") as file:
                return _checked(np.lib.format.read_array(file, allow_pickle=False), caller)
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise BadParameter(
            f"{caller} needs {', '.join(NAMES)}, a matrix as '0 1 0; 1 -4 1; 0 1 0', or a .txt, "
            f".csv or .npy file of one, got {source!r} ({reason})."
        ) from error
    return _parsed(text, caller)


def text(matrix: Matrix) -> str:
    """A matrix as text, from which `read` gives it back."""
    rows = matrix.tolist()
    return "; ".join(" ".join(repr(x).removesuffix(".0") for x in row) for row in rows)


def delta(rows: int, columns: int) -> Matrix:
    """One in the middle, zero elsewhere: the image as it is."""
    matrix = np.zeros((rows, columns))
    matrix[rows // 2, columns // 2] = 1
    return matrix


def shift(dx: int, dy: int) -> Matrix:
    """Moves the image by dx to the right and dy down; pixels from outside are mirrored."""
    matrix = np.zeros((2 * abs(dy) + 1, 2 * abs(dx) + 1))
    matrix[abs(dy) - dy, abs(dx) - dx] = 1  # a correlation looks where the image came from
    return matrix


def box(size: int) -> Matrix:
    """The mean of size × size pixels."""
    return np.full((size, size), 1 / size**2)


def gaussian(sigma: float, size: int | None = None) -> Matrix:
    """A sampled Gaussian of sum one; its radius defaults to four standard deviations."""
    line = np.array(
        gaussian_filter.gaussian(sigma, round(4 * sigma) if size is None else size // 2)
    )
    return np.outer(line, line)


def unsharp(alpha: float, sigma: float, size: int | None = None) -> Matrix:
    """The image and `alpha` times its difference to its Gaussian blur."""
    low = gaussian(sigma, size)
    identity = delta(*low.shape)
    return identity + alpha * (identity - low)


def unit(matrix: Matrix, caller: str) -> Matrix:
    """The matrix over the sum of its weights.

    Raises:
        BadParameter: If that is zero.
    """
    if not has_sum(matrix):
        raise BadParameter(
            f"{caller} needs weights whose sum is not zero to normalise them, got "
            f"{text(matrix)!r}. Leave out normalise."
        )
    return matrix / matrix.sum()


def has_sum(matrix: Matrix) -> bool:
    """Whether the sum of the weights exceeds rounding, so that brightness passes."""
    return abs(float(matrix.sum())) > _ROUNDING * float(np.abs(matrix).sum())


def symmetric(matrix: Matrix) -> bool:
    """Whether its sides are odd and it equals its mirror images, horizontally and vertically."""
    odd = matrix.shape[0] % 2 == 1 and matrix.shape[1] % 2 == 1
    return odd and bool((matrix == matrix[::-1]).all() and (matrix == matrix[:, ::-1]).all())


def gain(matrix: Matrix, y: Tensor, x: Tensor) -> Tensor:
    """Transfer function of a symmetric kernel at y and x cycles per pixel, (len(y), len(x))."""
    weights = torch.from_numpy(matrix).to(y)
    dy, dx = (torch.arange(n).to(y) - n // 2 for n in matrix.shape)
    rows, columns = (torch.cos(2 * torch.pi * f[:, None] * i) for f, i in ((y, dy), (x, dx)))
    return rows @ weights @ columns.mT


def correlate(image: Tensor, matrix: Matrix) -> Tensor:
    """Weighted sums of each pixel's neighbours, (b, c, h, w) to the same shape.

    Few weights are sums of shifted copies. Others are separated: by the singular value
    decomposition the matrix is a sum of products of a column and a row.
    """
    height, width = image.shape[2:]
    up, left = matrix.shape[0] // 2, matrix.shape[1] // 2
    padded = mirror(image, max(up, left))
    top, first = max(up, left) - up, max(up, left) - left
    if np.count_nonzero(matrix) <= _MAX_SHIFTS:
        total = torch.zeros_like(image)
        for i, j in zip(*np.nonzero(matrix), strict=True):
            shifted = padded[..., top + i : top + i + height, first + j : first + j + width]
            total = total.add(shifted, alpha=float(matrix[i, j]))
        return total
    padded = padded.narrow(2, top, height + matrix.shape[0] - 1)
    padded = padded.narrow(3, first, width + matrix.shape[1] - 1)
    parts = [
        gaussian_filter.along(gaussian_filter.along(padded, row, -1), column, -2)
        for column, row in _separated(matrix)
    ]
    return torch.stack(parts).sum(0) if len(parts) > 1 else parts[0]


def _separated(matrix: Matrix) -> Iterable[tuple[list[float], list[float]]]:
    """Columns and rows whose products sum to the matrix: one pair for a Gaussian or a box."""
    columns, sizes, rows = np.linalg.svd(matrix)
    for i in range(int((sizes > _ROUNDING * sizes[0]).sum())):
        yield (columns[:, i] * sizes[i]).tolist(), rows[i].tolist()


def _parsed(source: str, caller: str) -> Matrix:
    rows = [re.findall(r"[^\s,]+", row) for row in re.split(r"[;\n]", source)]
    rows = [row for row in rows if row]
    try:
        numbers = [[_number(token) for token in row] for row in rows]
    except (ValueError, ZeroDivisionError) as error:
        raise BadParameter(f"{caller} cannot read a matrix from {source!r}: {error}.") from error
    lengths = sorted({len(row) for row in rows})
    if len(lengths) != 1:
        counts = " and ".join(map(str, lengths)) or "no"
        raise BadParameter(
            f"{caller} needs a matrix with rows of one length, got {counts} numbers in {source!r}. "
            "Put semicolons between the rows."
        )
    return _checked(np.array(numbers), caller)


def _number(token: str) -> float:
    """A number or a quotient of two. `Fraction` would expand 1e999999999 to an integer."""
    numerator, _, denominator = token.partition("/")
    return float(numerator) / float(denominator or 1)


def _checked(matrix: NDArray, caller: str) -> Matrix:
    fits = matrix.ndim == 2 and matrix.size and max(matrix.shape) <= _MAX_PX
    if not fits or matrix.dtype.kind not in "fiu" or not np.isfinite(matrix).all():
        raise BadParameter(
            f"{caller} needs a matrix of finite numbers of at most {_MAX_PX}×{_MAX_PX}, got "
            f"{matrix.dtype} {'×'.join(map(str, matrix.shape))}. Check the file."
        )
    return matrix.astype(np.float64)
