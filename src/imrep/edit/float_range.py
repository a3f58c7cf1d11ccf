"""Operations on images whose values have no stated range: results are not clipped at 0 and 1.

Files of floats and of wide integers are read as [0, 1] from their minimum to their maximum, and
mapped back when they are written. An operation that commutes with affine maps of the values gives
the same result at any such scale. These operations run on values compressed around the middle; the
compression grows until the result touches neither 0 nor 1. Other operations see [0, 1].
"""

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

# Operations with f(a x + b) = a f(x) + b, and their parameters that scale with a.
EQUIVARIANT: Mapping[str, tuple[str, ...]] = {
    "bandpass": (),
    "blur": (),
    "close": (),
    "denoise": ("noise",),
    "dilate": (),
    "enhance": (),
    "erode": (),
    "median": (),
    "open": (),
    "sharpen": (),
    "unsharp": (),
}
_ATTEMPTS = 8
_MIDDLE = 0.5


def apply_unclipped(
    operation: Callable[..., Tensor], name: str, image: Tensor, params: Mapping[str, Any]
) -> Tensor:
    """The result of an operation on (b, c, h, w) of any range, in the same units.

    Args:
        operation: The function.
        name: The operation's name.
        image: Most of its values lie in [0, 1].
        params: The operation's parameters.
    """
    if name not in EQUIVARIANT:
        return operation(image.clamp(0, 1), **params)
    reach = max(float((image - _MIDDLE).abs().max()), _MIDDLE)
    for attempt in range(1, _ATTEMPTS + 1):
        # At the first attempt the values fill the middle half of [0, 1].
        scale = _MIDDLE / reach / 2**attempt
        compressed = (image - _MIDDLE) * scale + _MIDDLE
        scaled = {key: params[key] * scale for key in EQUIVARIANT[name] if params.get(key)}
        result = operation(compressed, **{**params, **scaled})
        if float(result.min()) > 0 and float(result.max()) < 1:
            break
    return (result - _MIDDLE) / scale + _MIDDLE
