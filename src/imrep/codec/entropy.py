"""Entropy coding: quantised coefficients as bytes, and bytes as gzip members.

An image is a few coarse pictures, whose neighbouring samples are alike, and detail coefficients,
most of which are zero. Coarse pictures are stored as differences along rows (`rest`). Details are
run-length coded: each nonzero value (`values`) and the number of zeros before it (`gaps`). A number
is one byte; signed numbers are zigzag coded as 0, -1, 1, -2, 2, … Numbers from 255 on are stored as
the escape 255 and follow in the stream `large`. Deflate's Huffman code then compresses the bytes.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imrep.errors import BadFile

NAMES = ("large", "rest", "gaps", "values")
TYPES = (torch.int32, torch.uint8, torch.uint8, torch.uint8)

_ESCAPE = 255
_RUN = 1 << 19  # numbers processed together: they stay in the cache
_SPAN = 1 << 15  # range of int16 on either side of zero

_GZIP = 31  # zlib's wbits: a window of 32 KiB, in gzip's wrapping
_MEMBER_BYTES = 1 << 20  # input bytes of a member
_PROBE_BYTES = 1 << 15  # bytes that decide whether a member is searched for matches
_INPUT_BYTES = 1 << 16  # compressed bytes handed to zlib together
_MATCH_GAIN = 0.9  # matching takes about eight times as long, so it has to save a tenth

Bytes = bytes | memoryview
Integers = NDArray[np.signedinteger]


def write(coarse: Sequence[Tensor], details: Iterable[Tensor]) -> dict[str, Tensor]:
    """The streams of pictures (rows, columns) and of vectors of details, all int16."""
    small: dict[str, list[NDArray[np.uint8]]] = {name: [] for name in NAMES[1:]}
    large: dict[str, list[NDArray[np.int32]]] = {name: [] for name in NAMES[1:]}

    def add(name: str, numbers: Integers) -> None:
        small[name].append(np.minimum(numbers, _ESCAPE).astype(np.uint8))
        large[name].append(numbers[numbers >= _ESCAPE].astype(np.int32))

    for picture in coarse:
        add("rest", _zigzag(_differences(picture.numpy())).ravel())
    for gaps, values in _run_lengths(details):
        add("gaps", gaps)
        add("values", _zigzag(values))
    streams = {name: torch.from_numpy(np.concatenate(parts)) for name, parts in small.items()}
    escaped = [numbers for parts in large.values() for numbers in parts]
    return {"large": torch.from_numpy(np.concatenate(escaped)), **streams}


def read(
    streams: Mapping[str, Tensor], sizes: Sequence[tuple[int, int]], count: int
) -> tuple[list[Tensor], Tensor]:
    """The pictures of these sizes and a vector of `count` details, int16.

    Raises:
        BadFile: The streams hold something else.
    """
    coarse, gaps, values = (streams[name].numpy() for name in NAMES[1:])
    large = _divided(streams["large"].numpy(), (coarse, gaps, values))
    areas = [rows * columns for rows, columns in sizes]
    _check(len(coarse) == sum(areas) and len(gaps) == len(values), "as many numbers")
    steps = _signed(np.concatenate([*_unescaped(coarse, large[0])]))
    pictures = [
        _summed(part.reshape(size))
        for part, size in zip(np.split(steps, np.cumsum(areas)[:-1]), sizes, strict=True)
    ]
    details, last = np.zeros(count, np.int16), -1
    runs = zip(_unescaped(gaps, large[1]), _unescaped(values, large[2]), strict=True)
    for zeros, numbers in runs:
        # A value lies `zeros` + 1 after the one before it; `last` ends the part before.
        indices = np.cumsum(zeros + 1) + last
        last = int(indices[-1])
        _check(last < count, "as many details")
        details[indices] = _signed(numbers)
    return [torch.from_numpy(picture) for picture in pictures], torch.from_numpy(details)


def _run_lengths(details: Iterable[Tensor]) -> Iterator[tuple[Integers, Integers]]:
    """The number of zeros before each nonzero coefficient, and these coefficients, part by part."""
    zeros = 0  # at the end of the parts so far
    for part in details:
        for start in range(0, len(part), _RUN):
            run = part[start : start + _RUN].numpy()
            indices = np.flatnonzero(run)
            gaps = np.diff(indices, prepend=-1) - 1
            # A run of zeros may continue across parts: the first gap includes those before.
            gaps[:1] += zeros
            zeros = len(run) - 1 - int(indices[-1]) if len(indices) else zeros + len(run)
            yield gaps, run[indices]


def _unescaped(small: NDArray[np.uint8], large: NDArray[np.int32]) -> Iterator[NDArray[np.int64]]:
    """The numbers of a stream, part by part, escapes replaced by their large numbers."""
    used = 0
    for start in range(0, len(small), _RUN):
        run = small[start : start + _RUN].astype(np.int64)
        escapes = run == _ESCAPE
        count = int(np.count_nonzero(escapes))
        run[escapes] = large[used : used + count]
        used += count
        yield run


def _divided(
    large: NDArray[np.int32], small: Sequence[NDArray[np.uint8]]
) -> list[NDArray[np.int32]]:
    """The large numbers of each stream."""
    counts = [int(np.count_nonzero(x == _ESCAPE)) for x in small]
    _check(sum(counts) == len(large) and bool((large >= _ESCAPE).all()), "as many large numbers")
    return np.split(large, np.cumsum(counts)[:-1])


def _differences(x: Integers) -> Integers:
    """Each sample minus its left neighbour; in the first column, minus the one above."""
    steps = x.astype(np.int32)
    steps[:, 1:] -= x[:, :-1]
    steps[1:, 0] -= x[:-1, 0]
    return steps


def _summed(steps: Integers) -> NDArray[np.int16]:
    """The inverse of `_differences`."""
    # The first column downwards, then each row from its first sample.
    steps[:, 0] = np.cumsum(steps[:, 0])
    x = np.cumsum(steps, axis=1)
    _check(x.min() >= -_SPAN and x.max() < _SPAN, "sums within 16 bits")
    return x.astype(np.int16)


def _zigzag(x: Integers) -> Integers:
    """Signed numbers as unsigned ones: 0, -1, 1, -2, 2 become 0, 1, 2, 3, 4."""
    wide = x.astype(np.int32)
    # x >> 31 is -1 where x is negative; XOR with -1 turns 2 x into -2 x - 1.
    return (wide << 1) ^ (wide >> 31)


def _signed(x: NDArray[np.int64]) -> NDArray[np.int64]:
    """The inverse of `_zigzag`."""
    return (x >> 1) ^ -(x & 1)


def _check(condition: bool, requirement: str) -> None:
    if not condition:
        raise BadFile(f"decode needs {requirement} as the image's size implies, got others.")


def deflated(contents: Iterable[Bytes]) -> bytes:
    """Each content as gzip members of its own, one after another, as any gunzip reads them.

    Members are independent, so that two threads compress them.
    """
    pieces = [
        content[start : start + _MEMBER_BYTES]
        for content in contents
        for start in range(0, len(content), _MEMBER_BYTES)
    ]
    with ThreadPoolExecutor(2) as pool:
        return b"".join(pool.map(_member, pieces))


class Inflater:
    """Reads gzip members piece by piece, so that no more is inflated than is requested."""

    def __init__(self, data: bytes) -> None:
        self._data, self._position, self._input = data, 0, b""
        self._member = zlib.decompressobj(_GZIP)

    def read(self, count: int) -> bytearray:
        """The next `count` bytes.

        Raises:
            BadFile: There are fewer, or the data are not gzip.
        """
        content = bytearray()
        while len(content) < count:
            content += self._inflate(count - len(content))
        return content

    def finish(self) -> None:
        """Verify the last checksum.

        Raises:
            BadFile: It is wrong or missing, or more data follow.
        """
        while not self._member.eof or self._input or self._position < len(self._data):
            # The checksum and an empty member yield no byte; further content does.
            if self._inflate(1):
                raise BadFile("an .imr file needs to end with its last tensor, got more.")

    def _inflate(self, max_bytes: int) -> bytes:
        """At most so many bytes; none where a member's header or trailer was consumed."""
        if not self._input:
            self._input = self._data[self._position : self._position + _INPUT_BYTES]
            self._position += len(self._input)
        if not self._input:
            raise BadFile("an .imr file needs all of its bytes, got a truncated one.")
        if self._member.eof:
            self._member = zlib.decompressobj(_GZIP)
        member = self._member
        try:
            content = member.decompress(self._input, max_bytes)
        except zlib.error as error:
            raise BadFile(f"an .imr file needs to be gzip, got other bytes ({error}).") from error
        # Past the end of a member begins the next; before it, `max_bytes` left input over.
        self._input = member.unused_data if member.eof else member.unconsumed_tail
        return content


def _member(piece: Bytes) -> bytes:
    """One gzip member, Huffman coded only, unless matching pays on a sample from its middle."""
    start = max(0, (len(piece) - _PROBE_BYTES) // 2)
    probe = piece[start : start + _PROBE_BYTES]
    huffman, matching = zlib.Z_HUFFMAN_ONLY, zlib.Z_DEFAULT_STRATEGY
    pays = len(_gzip(probe, matching)) < _MATCH_GAIN * len(_gzip(probe, huffman))
    return _gzip(piece, matching if pays else huffman)


def _gzip(piece: Bytes, strategy: int) -> bytes:
    member = zlib.compressobj(6, zlib.DEFLATED, _GZIP, 8, strategy)
    return member.compress(piece) + member.flush()
