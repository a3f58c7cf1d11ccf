"""Operations on numbers without a stated range: what they make is not cut at black and white.

Files of floats and of wide integers come as [0, 1] by their least and greatest number, which is
undone when they are written. An operation that is linear, or goes by the order of values, gives
the same whatever that scale is: such ones are given room on both sides, more of it where their
result still touches an end. Others see [0, 1], and what they make stays within.
"""

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

# Operations for which f(a x + b) = a f(x) + b about the middle; the parameters that scale with it.
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


def applied(
    operation: Callable[..., Tensor], name: str, image: Tensor, params: Mapping[str, Any]
) -> Tensor:
    """What an operation makes of (b, c, h, w) of any range, in the same units.

    Args:
        operation: The function.
        name: The operation's.
        image: Where most values lie in [0, 1].
        params: Its parameters.
    """
    if name not in EQUIVARIANT:
        return operation(image.clamp(0, 1), **params)
    reach = max(float((image - _MIDDLE).abs().max()), _MIDDLE)
    for attempt in range(1, _ATTEMPTS + 1):
        scale = _MIDDLE / reach / 2**attempt
        narrow = (image - _MIDDLE) * scale + _MIDDLE
        scaled = {key: params[key] * scale for key in EQUIVARIANT[name] if params.get(key)}
        made = operation(narrow, **{**params, **scaled})
        if float(made.min()) > 0 and float(made.max()) < 1:
            break
    return (made - _MIDDLE) / scale + _MIDDLE
