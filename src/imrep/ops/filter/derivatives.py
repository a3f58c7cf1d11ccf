"""Derivatives of images along x and y by kernels that separate into rows and columns."""

from collections.abc import Sequence

from torch import Tensor

from imrep.ops.filter.gaussian import along

__all__ = ["SCHARR", "SOBEL", "Kernel", "derivatives"]

Kernel = tuple[Sequence[int], Sequence[int]]  # smoothing across the derivative, and the derivative

SOBEL: dict[int, Kernel] = {  # by the side; not normalised, as in OpenCV
    3: ((1, 2, 1), (-1, 0, 1)),
    5: ((1, 4, 6, 4, 1), (-1, -2, 0, 2, 1)),
    7: ((1, 6, 15, 20, 15, 6, 1), (-1, -4, -5, 0, 5, 4, 1)),
}
SCHARR: Kernel = ((3, 10, 3), (-1, 0, 1))


def derivatives(padded: Tensor, kernel: Kernel) -> tuple[Tensor, Tensor]:
    """Derivatives along x (columns) and y (rows), correlated with a kernel.

    Args:
        padded: (…, height, width) with half a kernel of border on each side; integers stay so.
        kernel: Smoothing and derivative, of one length.

    Returns:
        Two tensors without the border.
    """
    smooth, derive = kernel
    gx = along(along(padded, smooth, -2), derive, -1)
    gy = along(along(padded, smooth, -1), derive, -2)
    return gx, gy
