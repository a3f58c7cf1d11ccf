"""Sharpening with a small kernel."""

from torch import Tensor

from imrep import checks
from imrep.errors import BadParameter
from imrep.ops.filter import convolution
from imrep.ops.filter.strips import by_rows
from imrep.types import Image

_NAMED = ("sharpen", "sharpen_soft")
_ROUNDING = 1e-6


def sharpen(image: Image, *, kernel: str = "sharpen", alpha: float = 1.0) -> Image:
    """Each pixel made to differ more from its neighbours, by a kernel of weights with sum one.

    `sharpen` is [0 -1 0; -1 5 -1; 0 -1 0], strong; `sharpen_soft` a tenth of [-1 -2 -1; -2 22 -2;
    -1 -2 -1]. It is correlated with each channel, the image mirrored at its borders without
    repeating the edge, and the result clipped to [0, 1].

    Args:
        image: (b, 1|3, h, w), values in [0, 1].
        kernel: sharpen, sharpen_soft, or a matrix of odd sides and sum one in words ("0 -1 0; -1 5
            -1; 0 -1 0", fractions allowed) or in a .txt, .csv or .npy file.
        alpha: Strength, 0 to 10: how much of the change is made. 1 is the kernel itself.

    Raises:
        BadImage: If it is no batch of images.
        BadParameter: If alpha is out of its range, or the kernel cannot be read, has an even side
            or another sum than one.

    References:
        A. Rosenfeld, "Picture processing by computer", ACM Computing Surveys 1(3), 1969.
        doi:10.1145/356551.356554
    """
    checks.image(image, "sharpen")
    checks.between(alpha, 0, 10, "sharpen", "alpha")
    matrix = _checked(
        convolution.read(convolution.FIXED[kernel] if kernel in _NAMED else kernel, "sharpen")
    )
    same = convolution.delta(*matrix.shape)
    matrix = same + alpha * (matrix - same)
    reach = matrix.shape[0] // 2

    def work(rows: Tensor) -> Tensor:
        whole = convolution.correlate(rows[None, None], matrix)[0, 0]
        return whole.narrow(0, reach, len(rows) - 2 * reach).clamp(0, 1)

    return by_rows(image, reach, work)


def _checked(matrix: convolution.Matrix) -> convolution.Matrix:
    rows, columns = matrix.shape
    if rows % 2 == 0 or columns % 2 == 0:
        raise BadParameter(
            "sharpen needs a kernel of odd sides, so that a pixel lies in its middle, got "
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
