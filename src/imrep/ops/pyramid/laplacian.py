"""REDUCE and EXPAND, and the Laplacian pyramid made of them, for any leading axes and any size.

The kernel along each axis is (1/4 - a/2, 1/4, a, 1/4, 1/4 - a/2): it sums to one, is symmetric, and
every sample contributes equally to the next level; `a` remains free. REDUCE mirrors the image at
its borders without repeating the edge sample. EXPAND mirrors the coarse samples, interleaved with
zeros to an even length: the second coarse sample precedes the first, and the last one is repeated.
At `a=0.375` both equal OpenCV's pyrDown and pyrUp.

Pixels may be floating point (float16 and bfloat16 are computed in float32), uint8, uint16 or int16.
Integers need `a=0.375`, where all weights are sixteenths; they are rounded half up, once per step,
as in OpenCV. Differences of integers have a wider type, so that a pyramid of integers is lossless.

References:
    P. J. Burt and E. H. Adelson, "The Laplacian pyramid as a compact image code", IEEE Trans.
    Communications 31(4), 1983. doi:10.1109/TCOM.1983.1095851
"""

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from imrep import checks
from imrep.errors import BadCode, BadImage, BadParameter
from imrep.ops.pyramid import native as in_c
from imrep.ops.pyramid import polyphase as in_torch
from imrep.ops.pyramid.polyphase import Scratch, difference, half

BINOMIAL = 0.375

_INTEGERS = (torch.uint8, torch.uint16, torch.int16)
MAX_LEVELS = 62  # no side of a tensor can be halved more often

Bands = tuple[Tensor, ...]


def reduce(x: Tensor, a: float = BINOMIAL) -> Tensor:
    """Blurred, then every second row and column: (…, h, w) to (…, ceil(h / 2), ceil(w / 2)).

    Raises:
        BadImage: If `x` has no pixels, or none of the types named above.
        BadParameter: If `x` holds integers and `a` is not 0.375.
    """
    _check(x, a)
    image = _planes(x)
    native = in_c.kernels(image)
    if native is None:
        return _shaped(in_torch.reduced(image, a, Scratch(image)), x)
    return _shaped(in_c.reduced(native, image, a), x)


def expand(x: Tensor, size: tuple[int, int], a: float = BINOMIAL) -> Tensor:
    """Twice as many rows and columns, or one less, interpolated: (…, h, w) to (…, *size).

    Raises:
        BadCode: If `x` is not half of `size`, rounded up.
        BadImage: If `x` has no pixels, or none of the types named above.
        BadParameter: If `x` holds integers and `a` is not 0.375.
    """
    _check(x, a)
    if tuple(x.shape[-2:]) != (half(size[0]), half(size[1])):
        raise BadCode(
            f"expand needs {half(size[0])}×{half(size[1])} samples for {size[0]}×{size[1]}, "
            f"got {_size(x)}. Ask for twice as many, or one less."
        )
    low = _planes(x)
    native = in_c.kernels(low)
    if native is None:
        return _shaped(in_torch.expanded(low, size, a, Scratch(low)), x)
    return _shaped(in_c.expanded(native, low, size, a), x)


def build(x: Tensor, levels: int, a: float = BINOMIAL) -> tuple[Bands, Tensor]:
    """The Laplacian pyramid: x - EXPAND(REDUCE(x)) of each level, fine to coarse, and the rest.

    Band i is (…, ceil(h / 2^i), ceil(w / 2^i)), of the type of `x`; int16 for uint8, int32 for
    uint16 and int16. The rest has the type of `x`.

    Raises:
        BadImage: If `x` has no pixels, or none of the types named above.
        BadParameter: If there is no level, or `x` holds integers and `a` is not 0.375.
    """
    _check(x, a)
    if not 1 <= levels <= MAX_LEVELS:
        raise BadParameter(f"a pyramid needs levels from 1 to {MAX_LEVELS}, got {levels}.")
    low = _planes(x)
    bands: list[Tensor] = []
    native = in_c.kernels(low)
    if native is not None:
        bands, low = in_c.built(native, low, levels, a)
    scratch = Scratch(low)
    for _ in range(levels - len(bands)):
        image, low = low, in_torch.reduced(low, a, scratch)
        bands.append(in_torch.expanded(low, image.shape[1:], a, scratch, less=image))
    return tuple(_shaped(band, x, difference(x.dtype)) for band in bands), _shaped(low, x)


def collapse(
    bands: Sequence[Tensor], rest: Tensor, a: float = BINOMIAL, *, caller: str = "collapse"
) -> Tensor:
    """The image of a pyramid from `build`: to rounding error, or exactly for integers.

    Args:
        bands: From fine to coarse.
        rest: Of the image's type. Sums are clamped to the range of an integer type, which changes
            nothing unless the bands were changed.
        a: The one that `build` was given.
        caller: Name at the start of error messages.

    Raises:
        BadCode: If the shapes are not those of a pyramid.
        BadImage: If `rest` has no pixels, or none of the types named above.
        BadParameter: If `rest` holds integers and `a` is not 0.375.
    """
    _check(rest, a)
    check_bands(bands, rest, caller)
    low, flat = _planes(rest), [_planes(band) for band in bands]
    native = in_c.kernels(low, *flat) if flat else None
    if native is not None:
        return _shaped(in_c.collapsed(native, flat, low, a), rest)
    scratch = Scratch(flat[0] if flat else low)
    for band in reversed(flat):
        low = in_torch.expanded(low, band.shape[1:], a, scratch, plus=band)
    return _shaped(low, rest)


def _planes(x: Tensor) -> Tensor:
    """Planes (planes, h, w), contiguous; half precision as float32."""
    x = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
    return x.reshape(math.prod(x.shape[:-2]), *x.shape[-2:]).contiguous().resolve_neg()


def _shaped(planes: Tensor, like: Tensor, kind: torch.dtype | None = None) -> Tensor:
    """The leading axes and the type of `like` restored."""
    return planes.to(kind or like.dtype).reshape(*like.shape[:-2], *planes.shape[1:])


def _check(x: Tensor, a: float) -> None:
    checks.tensor(x, "a pyramid", "an image")
    if x.ndim < 2 or 0 in x.shape:
        raise BadImage(f"a pyramid needs (…, height, width), got shape {tuple(x.shape)}.")
    if x.is_floating_point():
        return
    if x.dtype not in _INTEGERS:
        raise BadImage(
            f"a pyramid needs floating-point, uint8, uint16 or int16 values, got {x.dtype}. "
            "Try x.float()."
        )
    if a != BINOMIAL:
        raise BadParameter(f"a pyramid of integers needs a of {BINOMIAL}, got {a}. Try x.float().")


def check_bands(bands: Sequence[Tensor], rest: Tensor, caller: str) -> None:
    """Refuse bands, from fine to coarse, whose shapes do not fit each other or the rest.

    Raises:
        BadCode: Naming the first fault.
    """
    for x in (*bands, rest):
        checks.tensor(x, caller, "each band and the rest")
    for band, low in itertools.pairwise([*bands, rest]):
        fault = _fault(band, low, rest)
        if fault:
            raise BadCode(f"{caller} needs {fault}. Pass bands and rest as they were made.")


def _fault(band: Tensor, low: Tensor, rest: Tensor) -> str:
    """How a band does not fit the next one or the rest; "" if it does."""
    kind = difference(rest.dtype)
    if band.shape[:-2] != rest.shape[:-2]:
        shape = tuple(rest.shape[:-2])
        return (
            f"bands with the batch and the channels of the rest, {shape}, "
            f"got {tuple(band.shape[:-2])}"
        )
    if (half(band.shape[-2]), half(band.shape[-1])) != tuple(low.shape[-2:]):
        return f"each size to be half of the one before, got {_size(low)} after {_size(band)}"
    if band.dtype != kind:
        return f"bands of {kind} with a rest of {rest.dtype}, got {band.dtype}"
    if band.device != rest.device:
        return f"bands on {rest.device} like the rest, got {band.device}"
    return ""


def _size(x: Tensor) -> str:
    return f"{x.shape[-2]}×{x.shape[-1]}"
