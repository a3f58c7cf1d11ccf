"""REDUCE and EXPAND in C, for contiguous planes of float32 or uint8 on the CPU.

Equal to `ops.pyramid.polyphase`. Each plane goes row by row through a few line buffers that fit the
L1 cache, all levels before the next plane. The GIL is released meanwhile.
"""

import ctypes
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from imrep.ops.native import kernels_for
from imrep.ops.pyramid.polyphase import blank, difference, half

_SUFFIX = {torch.float32: "f32", torch.uint8: "u8"}


def kernels(*tensors: Tensor) -> ctypes.CDLL | None:
    """The C library, if it takes these tensors."""
    return kernels_for(tensors, _SUFFIX)


def reduced(native: ctypes.CDLL, x: Tensor, a: float) -> Tensor:
    """Half the size, rounded up."""
    planes, height, width = x.shape
    small = blank((planes, half(height), half(width)), x)
    _call(native, "reduce", x.dtype, [_at(x), _at(small)], (planes, height, width), a)
    return small


def expanded(native: ctypes.CDLL, x: Tensor, size: tuple[int, int], a: float) -> Tensor:
    """Twice the size, or one less."""
    large = blank((len(x), *size), x)
    _call(native, "expand", x.dtype, [_at(x), _at(large)], tuple(large.shape), a)
    return large


def built(native: ctypes.CDLL, x: Tensor, levels: int, a: float) -> tuple[list[Tensor], Tensor]:
    """Bands from fine to coarse, and the rest."""
    planes, height, width = x.shape
    bands: list[Tensor] = []
    for _ in range(levels):
        bands.append(blank((planes, height, width), x, difference(x.dtype)))
        height, width = half(height), half(width)
    rest = blank((planes, height, width), x)
    tensors = [_at(x), _each(bands), _at(rest)]
    _call(native, "build", x.dtype, tensors, tuple(x.shape), a, levels)
    return bands, rest


def collapsed(native: ctypes.CDLL, bands: Sequence[Tensor], rest: Tensor, a: float) -> Tensor:
    """The image of one band or more and the rest."""
    image = blank(bands[0].shape, rest)
    tensors = [_each(bands), _at(rest), _at(image)]
    _call(native, "collapse", rest.dtype, tensors, tuple(image.shape), a, len(bands))
    return image


def _call(
    native: ctypes.CDLL,
    what: str,
    kind: torch.dtype,
    tensors: Sequence[object],
    shape: tuple[int, ...],
    a: float,
    *levels: int,
) -> None:
    """Call the kernel of this type; the last argument is scratch of the size that it asks for."""
    suffix = _SUFFIX[kind]
    scratch_bytes = getattr(native, f"imrep_pyramid_scratch_{suffix}")
    scratch = np.empty(
        scratch_bytes(*map(ctypes.c_int64, (*shape[1:], *(levels or (1,))))), np.uint8
    )
    kernel = getattr(native, f"imrep_pyramid_{what}_{suffix}")
    sizes = map(ctypes.c_int64, (*shape, *levels))
    kernel(*tensors, *sizes, ctypes.c_double(a), ctypes.c_void_p(scratch.ctypes.data))


def _at(x: Tensor) -> ctypes.c_void_p:
    return ctypes.c_void_p(x.data_ptr())


def _each(tensors: Sequence[Tensor]) -> ctypes.Array:
    return (ctypes.c_void_p * len(tensors))(*(t.data_ptr() for t in tensors))
