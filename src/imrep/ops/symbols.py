"""Quantised numbers as bytes of which Huffman's code makes few bits, and back.

A coded image is small pictures, `rest`, whose neighbours are alike, and `details`, of which most
are zero. Of the former are kept the differences along rows; of the latter each that is not zero
(`values`), and how many zeros stand before it (`gaps`). A number takes a byte; with a sign it is
counted 0, -1, 1, -2, 2, … Those from 255 on are 255 there and follow in `large`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imrep.errors import BadFile

NAMES = ("large", "rest", "gaps", "values")
TYPES = (torch.int32, torch.uint8, torch.uint8, torch.uint8)

_ESCAPE = 255
_RUN = 1 << 19  # numbers at a time: what stays in the cache
_SPAN = 1 << 15  # of int16, to either side of zero

Integers = NDArray[np.signedinteger]


def write(rests: Sequence[Tensor], details: Iterable[Tensor]) -> dict[str, Tensor]:
    """The streams of pictures (rows, columns) and of vectors of details, all int16."""
    small: dict[str, list[NDArray[np.uint8]]] = {name: [] for name in NAMES[1:]}
    large: dict[str, list[NDArray[np.int32]]] = {name: [] for name in NAMES[1:]}

    def add(name: str, numbers: Integers) -> None:
        small[name].append(np.minimum(numbers, _ESCAPE).astype(np.uint8))
        large[name].append(numbers[numbers >= _ESCAPE].astype(np.int32))

    for rest in rests:
        add("rest", _counted(_differences(rest.numpy())).ravel())
    for gaps, values in _sparse(details):
        add("gaps", gaps)
        add("values", _counted(values))
    streams = {name: torch.from_numpy(np.concatenate(parts)) for name, parts in small.items()}
    everything = [numbers for parts in large.values() for numbers in parts]
    return {"large": torch.from_numpy(np.concatenate(everything)), **streams}


def read(
    streams: Mapping[str, Tensor], sizes: Sequence[tuple[int, int]], count: int
) -> tuple[list[Tensor], Tensor]:
    """The pictures of these sizes and a vector of so many details, int16.

    Raises:
        BadFile: If that is not what the streams hold.
    """
    given = [streams[name].numpy() for name in NAMES[1:]]
    large = _shared(streams["large"].numpy(), given)
    areas = [rows * columns for rows, columns in sizes]
    _check(len(given[0]) == sum(areas) and len(given[1]) == len(given[2]), "as many numbers")
    steps = [*_runs(given[0], large[0])]
    flat = np.split(_signed(np.concatenate(steps)), np.cumsum(areas)[:-1])
    rests = [_summed(x.reshape(size)) for x, size in zip(flat, sizes, strict=True)]
    details, last = np.zeros(count, np.int16), -1
    for gaps, values in zip(_runs(given[1], large[1]), _runs(given[2], large[2]), strict=True):
        at = np.cumsum(gaps + 1) + last
        last = int(at[-1])
        _check(last < count, "as many details")
        details[at] = _signed(values)
    return [torch.from_numpy(rest) for rest in rests], torch.from_numpy(details)


def _sparse(details: Iterable[Tensor]) -> Iterator[tuple[Integers, Integers]]:
    """Run by run, the zeros before each number that is none, and these numbers."""
    zeros = 0
    for part in details:
        for start in range(0, len(part), _RUN):
            run = part[start : start + _RUN].numpy()
            at = np.flatnonzero(run)
            gaps = np.diff(at, prepend=-1) - 1
            gaps[:1] += zeros
            zeros = len(run) - 1 - int(at[-1]) if len(at) else zeros + len(run)
            yield gaps, run[at]


def _runs(small: NDArray[np.uint8], large: NDArray[np.int32]) -> Iterator[NDArray[np.int64]]:
    """Run by run, the numbers that `write` made narrow."""
    used = 0
    for start in range(0, len(small), _RUN):
        run = small[start : start + _RUN].astype(np.int64)
        wide = run == _ESCAPE
        count = int(np.count_nonzero(wide))
        run[wide] = large[used : used + count]
        used += count
        yield run


def _shared(
    large: NDArray[np.int32], small: Sequence[NDArray[np.uint8]]
) -> list[NDArray[np.int32]]:
    """Each stream's own large numbers."""
    counts = [int(np.count_nonzero(x == _ESCAPE)) for x in small]
    _check(sum(counts) == len(large) and bool((large >= _ESCAPE).all()), "as many large numbers")
    return np.split(large, np.cumsum(counts)[:-1])


def _differences(x: Integers) -> Integers:
    """Each less what stands left of it, in the first column less what stands above it."""
    steps = x.astype(np.int32)
    steps[:, 1:] -= x[:, :-1]
    steps[1:, 0] -= x[:-1, 0]
    return steps


def _summed(steps: Integers) -> NDArray[np.int16]:
    steps[:, 0] = np.cumsum(steps[:, 0])
    x = np.cumsum(steps, axis=1)
    _check(x.min() >= -_SPAN and x.max() < _SPAN, "sums within 16 bits")
    return x.astype(np.int16)


def _counted(x: Integers) -> Integers:
    """How numbers with a sign are counted."""
    wide = x.astype(np.int32)
    return (wide << 1) ^ (wide >> 31)


def _signed(x: NDArray[np.int64]) -> NDArray[np.int64]:
    return (x >> 1) ^ -(x & 1)


def _check(holds: bool, what: str) -> None:
    if not holds:
        raise BadFile(f"decode needs {what} as the picture's size asks for, got others.")
