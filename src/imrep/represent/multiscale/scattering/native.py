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

_MAX_PRIME = 31  # factor of a side; beyond, the kernel's FFT is slower than torch's
_MAX_FACTORS = 32
_CACHE_LINE = 16  # floats
EIGHT = 8  # orientations that fill an AVX register; they have kernels of their own
_MAX_LANES = 64  # orientations innermost
_STRIP_BYTES = 64 * 2**10  # of the columns that are transformed together; the scratch is as large
_MAX_BYTES = 20 * 2**20  # of the complex numbers of all orientations, to stay in the last cache


class _Axis(ctypes.Structure):
    _fields_ = (
        ("n", ctypes.c_int64),
        ("count", ctypes.c_int64),
        ("factors", ctypes.c_int64 * _MAX_FACTORS),
        ("roots", ctypes.c_void_p),
        ("rotations", ctypes.c_void_p),
    )


class _Bank(ctypes.Structure):
    _fields_ = (
        ("rows", _Axis),
        ("columns", _Axis),
        ("factor", ctypes.c_int64),
        ("lanes", ctypes.c_int64),
        ("strip_width", ctypes.c_int64),
        ("count", ctypes.c_int64),
        ("corners", ctypes.c_void_p),
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
    """A bank's filters in the kernel's layout.

    The kernel goes through an image by strips of columns that fit the L1 cache, with all
    orientations ("lanes") innermost, so that one vector register holds eight of them.
    """

    size: tuple[int, int]
    lanes: int
    wide: int  # columns of a strip
    filters: np.ndarray  # strip by strip (rows, its columns, blocks, lanes)
    corners: np.ndarray  # first row and column of each block
    factor: int  # of the subsampling

    def moduli(self, native: ctypes.CDLL, half: Tensor) -> Tensor:
        """|x ∗ ψ| (n, rows, columns, orientations) from half spectra (n, rows, columns / 2 + 1)."""
        moduli = torch.empty(len(half), *self.size, self.lanes)
        self._call(native.imrep_scatter_moduli, native, half, _Low(), moduli)
        return moduli

    def averages(
        self, native: ctypes.CDLL, half: Tensor, rows: Tensor, columns: Tensor, *, keep: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Averages rows · |x ∗ ψ| · columnsᵀ (n, 8, m, n), with |x ∗ ψ| if `keep`.

        For `EIGHT` orientations only.
        """
        averages = torch.empty(len(half), self.lanes, len(rows), len(columns))
        moduli = torch.empty(len(half), self.lanes, *self.size) if keep else None
        low = _Low(len(rows), len(columns), rows.data_ptr(), columns.data_ptr())
        pointer = ctypes.c_void_p(moduli.data_ptr() if moduli is not None else None)
        self._call(native.imrep_scatter_averages, native, half, low, averages, pointer)
        return averages, moduli

    def _call(
        self,
        kernel: Any,
        native: ctypes.CDLL,
        half: Tensor,
        low: "_Low",
        out: Tensor,
        *more: ctypes.c_void_p,
    ) -> None:
        rows, columns = _axis(self.size[0]), _axis(self.size[1])
        bank = _Bank(
            rows.struct,
            columns.struct,
            self.factor,
            self.lanes,
            self.wide,
            len(self.corners),
            self.corners.ctypes.data,
            self.filters.ctypes.data,
        )
        need = native.imrep_scatter_scratch
        scratch = np.empty(need(ctypes.byref(bank), ctypes.byref(low)) + _CACHE_LINE, np.float32)
        start = -scratch.ctypes.data // 4 % _CACHE_LINE
        half = half.contiguous()
        kernel(
            ctypes.c_void_p(half.data_ptr()),
            ctypes.c_int64(len(half)),
            ctypes.byref(bank),
            ctypes.byref(low),
            ctypes.c_void_p(out.data_ptr()),
            *more,
            ctypes.c_void_p(scratch[start:].ctypes.data),
        )


def library(x: Tensor) -> ctypes.CDLL | None:
    """The C library, if it takes this tensor."""
    return kernels_for([x], [torch.float32])


def group(filters: Tensor, blocks: tuple[int, ...], factor: int) -> Group | None:
    """Filters (blocks, rows, columns, orientations) for the kernel, if faster than torch."""
    _, rows, columns, lanes = filters.shape
    large = 8 * rows * columns * lanes > _MAX_BYTES or lanes > _MAX_LANES
    if filters.dtype != torch.float32 or filters.device.type != "cpu" or large:
        return None
    if max(_factors(rows) + _factors(columns)) > _MAX_PRIME:
        return None
    wide = min(columns, max(1, _STRIP_BYTES // (8 * rows * lanes)))
    strips = [strip.permute(1, 2, 0, 3).flatten() for strip in filters.split(wide, dim=2)]
    corners = [(block // factor * rows, block % factor * columns) for block in blocks]
    table = torch.cat(strips).numpy()
    return Group((rows, columns), lanes, wide, table, np.array(corners), factor)


def _factors(n: int) -> list[int]:
    """Radices of a length: fours first, then primes in ascending order."""
    radices = []
    for f in (4, 2, 3, *range(5, n + 1, 2)):
        while n % f == 0:
            radices.append(f)
            n //= f
        if n == 1:
            break
    return radices or [1]


@dataclass(frozen=True)
class _Transform:
    """Radices and roots of unity of one FFT length.

    `tables` keep the arrays alive that `struct` points to.
    """

    struct: _Axis
    tables: tuple[np.ndarray, np.ndarray]


@functools.cache
def _axis(n: int) -> _Transform:
    factors = [] if n == 1 else _factors(n)
    # Twiddle factors of each pass, from the largest length down: exp(2πi k m / length) for k below
    # length / radix and m from 1. Radices above 5 have no kernel of their own and need their roots.
    twiddles, rotations, length = [np.empty(0)], [np.empty(0)], n
    for f in factors:
        remaining = length // f
        twiddles.append(np.outer(np.arange(remaining), np.arange(1, f)).ravel() / length)
        if f > 5:
            rotations.append(np.arange(f) / f)
        length = remaining
    tables = _unit(np.concatenate(twiddles)), _unit(np.concatenate(rotations))
    padded = (ctypes.c_int64 * _MAX_FACTORS)(*factors)
    pointers = (table.ctypes.data for table in tables)
    return _Transform(_Axis(n, len(factors), padded, *pointers), tables)


def _unit(fractions: np.ndarray) -> np.ndarray:
    """Cosine and sine of 2π times fractions, interleaved, float32."""
    angle = 2 * math.pi * fractions
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
