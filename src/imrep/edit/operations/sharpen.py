"""Sharpening by convolution."""

from torch import Tensor

from imrep import checks
from imrep.errors import BadParameter
from imrep.ops.filter import convolution
from imrep.ops.filter.strips import by_rows
from imrep.types import Image

_NAMED = ("sharpen", "sharpen_soft")
_ROUNDING = 1e-6


def sharpen(image: Image, *, kernel: str = "sharpen", alpha: float = 1.0) -> Image:
    """Sharpening by a small kernel of sum one.

    `sharpen` is [0 -1 0; -1 5 -1; 0 -1 0], strong; `sharpen_soft` is a tenth of [-1 -2 -1;
    -2 22 -2; -1 -2 -1]. Each channel is correlated with the kernel, mirrored at its borders without
    repeating the edge, and the result is clipped to [0, 1].

    Args:
        image: (b, 1|3, h, w), values in [0, 1].
        kernel: sharpen, sharpen_soft, or a matrix of odd sides and sum one as text ("0 -1 0; -1 5
            -1; 0 -1 0", fractions allowed) or as a .txt, .csv or .npy file.
        alpha: Strength, 0 to 10: factor of the change. 1 is the kernel itself.

    Raises:
        BadImage: The input is not a batch of images.
        BadParameter: Alpha is out of its range, or the kernel cannot be read, has an even side or
            another sum than one.

    References:
        A. Rosenfeld, "Picture processing by computer", ACM Computing Surveys 1(3), 1969.
        doi:10.1145/356551.356554
    """
    checks.image(image, "sharpen")
    checks.between(alpha, 0, 10, "sharpen", "alpha")
    matrix = _checked(
        convolution.read(convolution.FIXED[kernel] if kernel in _NAMED else kernel, "sharpen")
    )
    identity = convolution.delta(*matrix.shape)
    matrix = identity + alpha * (matrix - identity)
    radius = matrix.shape[0] // 2

    def sharpen_rows(rows: Tensor) -> Tensor:
        filtered = convolution.correlate(rows[None, None], matrix)[0, 0]
        return filtered.narrow(0, radius, len(rows) - 2 * radius).clamp(0, 1)

    return by_rows(image, radius, sharpen_rows)


def _checked(matrix: convolution.Matrix) -> convolution.Matrix:
    rows, columns = matrix.shape
    if rows % 2 == 0 or columns % 2 == 0:
        raise BadParameter(
            "sharpen needs a kernel of odd sides, which has a centre, got "
            f"{rows}×{columns}. Add a row or a column of zeros."
        )
    total = float(matrix.sum())
    if abs(total - 1) > _ROUNDING:
        remedy = (
            f"Divide them by {total:.6g}" if convolution.has_sum(matrix) else "Add 1 in its middle"
        )
        raise BadParameter(
            f"sharpen needs weights of sum one, which keep brightness, got {total:.6g}. {remedy}."
        )
    return matrix
