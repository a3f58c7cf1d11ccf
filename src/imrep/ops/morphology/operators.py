"""Mathematical morphology: erosion and dilation by a structuring element, and their compositions.

An element is a small mask (rows, columns) whose origin is at (rows // 2, columns // 2). Erosion is
the minimum of x(p + s) over the members s of the element, dilation the maximum of x(p - s); pixels
outside the image are ignored. So defined they are adjoint, also on a bounded image: opening and
closing are idempotent, never above and never below the image, and independent of the element's
origin. That is `convention="textbook"`. OpenCV does not reflect the element for dilation:
`convention="opencv"` gives its numbers. The two differ where an element differs from its point
reflection, as every one of even side does.

Exact for any dtype. Gradients go to the position of the extremum, or are shared among equals.

References:
    J. Serra, "Image Analysis and Mathematical Morphology", Academic Press, 1982.
    H. J. A. M. Heijmans and C. Ronse, "The algebraic basis of mathematical morphology I: dilations
    and erosions", CVGIP 50(3), 1990. doi:10.1016/0734-189X(90)90148-O
"""

import torch
from torch import Tensor

from imrep import checks
from imrep.errors import BadImage
from imrep.ops.morphology.elements import Element, Rectangle, rectangles
from imrep.ops.morphology.extremes import extremes

CONVENTIONS = ("textbook", "opencv")


def erode(x: Tensor, element: Element) -> Tensor:
    """The minimum over the element at each pixel, of x(p + s) for its members s.

    Args:
        x: Images (..., height, width) of any real dtype.
        element: Mask (rows, columns) whose members are not zero, or its `rectangles`.

    Returns:
        As `x`. Where an element without its origin reaches no pixel at all: the dtype's greatest.

    Raises:
        BadImage: For NaN, which has no order.
        BadParameter: For a mask that is empty or not a matrix.
    """
    parts = rectangles(element)
    return extremes(_checked(x, "erode"), parts, torch.minimum)


def dilate(x: Tensor, element: Element, *, convention: str = "textbook") -> Tensor:
    """The maximum over the element at each pixel, of x(p - s); of x(p + s) as OpenCV has it.

    Args:
        x: Images (..., height, width) of any real dtype.
        element: Mask (rows, columns) whose members are not zero, or its `rectangles`.
        convention: "textbook" or "opencv", see above.

    Returns:
        As `x`. Where an element without its origin reaches no pixel at all: the dtype's least.

    Raises:
        BadImage: For NaN, which has no order.
        BadParameter: For a mask that is empty or not a matrix, or another convention.
    """
    checks.one_of(convention, CONVENTIONS, "dilate", "convention")
    parts = rectangles(element)
    if convention == "textbook":  # the element reflected in its origin
        # Rows top … top + height - 1 become 1 - top - height … -top, columns likewise.
        parts = tuple(Rectangle(1 - p.top - p.height, 1 - p.left - p.width, *p[2:]) for p in parts)
    return extremes(_checked(x, "dilate"), parts, torch.maximum)


def opening(x: Tensor, element: Element, *, convention: str = "textbook") -> Tensor:
    """Erosion, then dilation: without the bright structures that the element does not fit into."""
    return dilate(erode(x, element), element, convention=convention)


def closing(x: Tensor, element: Element, *, convention: str = "textbook") -> Tensor:
    """Dilation, then erosion: without the dark structures that the element does not fit into."""
    return erode(dilate(x, element, convention=convention), element)


def gradient(x: Tensor, element: Element, *, convention: str = "textbook") -> Tensor:
    """Dilation less erosion: the range of values over the element."""
    return _difference(dilate(x, element, convention=convention), erode(x, element))


def _difference(x: Tensor, y: Tensor) -> Tensor:
    """The difference x - y; for types without a sign, negative differences are 0."""
    if x.dtype == torch.bool:
        return x & ~y
    # An unsigned x - y would wrap round where y is the larger.
    signed = x.is_floating_point() or torch.iinfo(x.dtype).min < 0
    return x - y if signed else torch.maximum(x, y) - y


def _checked(x: Tensor, caller: str) -> Tensor:
    if not isinstance(x, Tensor) or x.ndim < 2 or x.is_complex():
        value = f"{x.dtype} {tuple(x.shape)}" if isinstance(x, Tensor) else type(x).__name__
        raise BadImage(
            f"{caller} needs real numbers (..., height, width), got {value}. Try x[None]."
        )
    ordered = not x.is_floating_point() or not x.numel() or torch.compiler.is_compiling()
    if not ordered and bool(x.detach().amax().isnan()):  # a maximum over NaN is NaN
        raise BadImage(f"{caller} needs finite values, got NaN. Try torch.nan_to_num(x).")
    return x
