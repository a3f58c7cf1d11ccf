"""The wavelet layer of `ops.scatter` in C, for contiguous float32 in the computer's memory.

The same numbers, with all orientations innermost. The interpreter's lock is free meanwhile.
"""

import ctypes
import functools
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from imrep import _native

_LARGEST = 31  # prime factor of a side; beyond, the kernel's transform loses to torch's
_MOST_FACTORS = 32
_LANES = 64  # orientations at once, at most
_STRIP = 32 * 2**10  # bytes of the columns that are transformed together: half of the nearest cache
_BYTES = 4 * 2**20  # of the complex numbers of all orientations: a larger cache has to hold them


class _Line(ctypes.Structure):
    _fields_ = (
        ("n", ctypes.c_int64),
        ("count", ctypes.c_int64),
        ("factors", ctypes.c_int64 * _MOST_FACTORS),
        ("roots", ctypes.c_void_p),
        ("turns", ctypes.c_void_p),
    )


class _Bank(ctypes.Structure):
    _fields_ = (
        ("rows", _Line),
        ("columns", _Line),
        ("times", ctypes.c_int64),
        ("lanes", ctypes.c_int64),
        ("wide", ctypes.c_int64),
        ("count", ctypes.c_int64),
        ("kept", ctypes.c_void_p),
        ("filters", ctypes.c_void_p),
    )


@dataclass(frozen=True)
class Group:
    """Some orientations of a bank as the kernel wants them."""

    size: tuple[int, int]
    lanes: int
    wide: int  # columns of a strip
    filters: np.ndarray  # strip by strip (rows, its columns, blocks, lanes)
    corners: np.ndarray  # first row and column of each block
    times: int

    def moduli(self, native: ctypes.CDLL, half: Tensor) -> Tensor:
        """|x ∗ ψ| from half spectra (n, rows, known), (n, rows, columns, orientations)."""
        line, across = _line(self.size[0]), _line(self.size[1])
        bank = _Bank(
            line.struct,
            across.struct,
            self.times,
            self.lanes,
            self.wide,
            len(self.corners),
            self.corners.ctypes.data,
            self.filters.ctypes.data,
        )
        native.imrep_scatter_scratch.restype = ctypes.c_int64
        scratch = np.empty(native.imrep_scatter_scratch(ctypes.byref(bank)), np.float32)
        half = half.contiguous()
        found = torch.empty(len(half), *self.size, self.lanes)
        native.imrep_scatter_moduli.restype = None
        native.imrep_scatter_moduli(
            ctypes.c_void_p(half.data_ptr()),
            ctypes.c_int64(len(half)),
            ctypes.byref(bank),
            ctypes.c_void_p(found.data_ptr()),
            ctypes.c_void_p(scratch.ctypes.data),
        )
        return found


def library(x: Tensor) -> ctypes.CDLL | None:
    """The library, if a tensor is for it: it has its type, and nobody looks on."""
    if type(x) is not Tensor or x.dtype != torch.float32 or x.device.type != "cpu":
        return None
    followed = torch.is_grad_enabled() and x.requires_grad
    if followed or torch._C._functorch.is_functorch_wrapped_tensor(x) or _dual(x):
        return None
    return _native.library("kernels")


def group(filters: Tensor, kept: tuple[int, ...], times: int) -> Group | None:
    """Filters (blocks, rows, columns, orientations) for the kernel, where it is the faster way."""
    _, rows, columns, lanes = filters.shape
    large = 8 * rows * columns * lanes > _BYTES or lanes > _LANES
    if filters.dtype != torch.float32 or filters.device.type != "cpu" or large:
        return None
    if max(_factors(rows) + _factors(columns)) > _LARGEST:
        return None
    wide = min(columns, max(1, _STRIP // (8 * rows * lanes)))
    strips = [strip.permute(1, 2, 0, 3).flatten() for strip in filters.split(wide, dim=2)]
    corners = [(block // times * rows, block % times * columns) for block in kept]
    table = torch.cat(strips).numpy()
    return Group((rows, columns), lanes, wide, table, np.array(corners), times)


def _dual(x: Tensor) -> bool:
    return torch.autograd.forward_ad.unpack_dual(x).tangent is not None


def _factors(n: int) -> list[int]:
    """Fours first, then primes from small to large."""
    found = []
    for f in (4, 2, 3, *range(5, n + 1, 2)):
        while n % f == 0:
            found.append(f)
            n //= f
        if n == 1:
            break
    return found or [1]


@dataclass(frozen=True)
class _Transform:
    """A length's factors and roots of unity; the arrays live as long as the structure."""

    struct: _Line
    tables: tuple[np.ndarray, np.ndarray]


@functools.cache
def _line(n: int) -> _Transform:
    factors = [] if n == 1 else _factors(n)
    roots, turns, left = [np.empty(0)], [np.empty(0)], n
    for f in factors:
        rest = left // f
        roots.append(np.outer(np.arange(rest), np.arange(1, f)).ravel() / left)
        if f > 5:
            turns.append(np.arange(f) / f)
        left = rest
    tables = _unit(np.concatenate(roots)), _unit(np.concatenate(turns))
    padded = (ctypes.c_int64 * _MOST_FACTORS)(*factors)
    pointers = (table.ctypes.data for table in tables)
    return _Transform(_Line(n, len(factors), padded, *pointers), tables)


def _unit(turns: np.ndarray) -> np.ndarray:
    """Cosine and sine of fractions of a turn, side by side, float32."""
    angle = 2 * math.pi * turns
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
