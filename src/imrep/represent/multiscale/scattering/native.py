"""The wavelet layer in C, for contiguous float32 on the CPU.

Equal to the torch path of `transform`, with orientations innermost. The GIL is released meanwhile.
"""

import ctypes
import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from imrep.ops.native import kernels_for

_LARGEST = 31  # prime factor of a side; beyond, the kernel's transform loses to torch's
_MOST_FACTORS = 32
_LINE = 16  # floats of a line of the cache
EIGHT = 8  # orientations that fill a register, and have kernels of their own
_LANES = 64  # orientations at once, at most
_STRIP = 64 * 2**10  # bytes of the columns that are transformed together, and as much to spare
_BYTES = 20 * 2**20  # of the complex numbers of all orientations: a larger cache has to hold them


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


class _Low(ctypes.Structure):
    _fields_ = (
        ("height", ctypes.c_int64),
        ("width", ctypes.c_int64),
        ("rows", ctypes.c_void_p),
        ("columns", ctypes.c_void_p),
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
        found = torch.empty(len(half), *self.size, self.lanes)
        self._call(native.imrep_scatter_moduli, native, half, _Low(), found)
        return found

    def averages(
        self, native: ctypes.CDLL, half: Tensor, rows: Tensor, columns: Tensor, *, keep: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Averages rows × |x ∗ ψ| × columns^T, (n, 8, m, n), and if wanted (n, 8, rows, columns).

        For `EIGHT` orientations only.
        """
        found = torch.empty(len(half), self.lanes, len(rows), len(columns))
        kept = torch.empty(len(half), self.lanes, *self.size) if keep else None
        low = _Low(len(rows), len(columns), rows.data_ptr(), columns.data_ptr())
        place = ctypes.c_void_p(kept.data_ptr() if kept is not None else None)
        self._call(native.imrep_scatter_averages, native, half, low, found, place)
        return found, kept

    def _call(
        self,
        kernel: Any,
        native: ctypes.CDLL,
        half: Tensor,
        low: "_Low",
        found: Tensor,
        *more: ctypes.c_void_p,
    ) -> None:
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
        need = native.imrep_scatter_scratch
        scratch = np.empty(need(ctypes.byref(bank), ctypes.byref(low)) + _LINE, np.float32)
        start = -scratch.ctypes.data // 4 % _LINE
        half = half.contiguous()
        kernel(
            ctypes.c_void_p(half.data_ptr()),
            ctypes.c_int64(len(half)),
            ctypes.byref(bank),
            ctypes.byref(low),
            ctypes.c_void_p(found.data_ptr()),
            *more,
            ctypes.c_void_p(scratch[start:].ctypes.data),
        )


def library(x: Tensor) -> ctypes.CDLL | None:
    """The library, if a tensor is for it."""
    return kernels_for([x], [torch.float32])


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
