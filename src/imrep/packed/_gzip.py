"""Bytes as gzip members, one after another: several threads write them, any gunzip reads them."""

import zlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from imrep.errors import BadFile

Bytes = bytes | memoryview

_GZIP = 31  # zlib's word for: a window of 32 KiB, in gzip's wrapping
_PIECE = 1 << 20  # bytes to a member
_TRIED = 1 << 15  # bytes by which is found out whether looking for repetitions pays
_FED = 1 << 16  # bytes inflated from at a time
_GAIN = 0.9  # looking takes eight times as long: it is to save a tenth at least


def deflated(contents: Iterable[Bytes]) -> bytes:
    """Each content as members of its own."""
    pieces = [
        content[start : start + _PIECE]
        for content in contents
        for start in range(0, len(content), _PIECE)
    ]
    with ThreadPoolExecutor(2) as pool:
        return b"".join(pool.map(_member, pieces))


class Inflating:
    """What members hold, as much at a time as is asked for."""

    def __init__(self, data: bytes) -> None:
        self._data, self._place, self._waiting = data, 0, b""
        self._member = zlib.decompressobj(_GZIP)

    def take(self, count: int) -> bytearray:
        """The next bytes, so many.

        Raises:
            BadFile: If there are fewer, or they are no gzip.
        """
        found = bytearray()
        while len(found) < count:
            found += self._some(count - len(found))
        return found

    def finish(self) -> None:
        """Read the last checksum.

        Raises:
            BadFile: If it is wrong or missing, or more follows.
        """
        while not self._member.eof or self._waiting or self._place < len(self._data):
            if self._some(1):
                raise BadFile("an .imr file needs to end with its last tensor, got more.")

    def _some(self, most: int) -> bytes:
        if not self._waiting:
            self._waiting = self._data[self._place : self._place + _FED]
            self._place += len(self._waiting)
        if not self._waiting:
            raise BadFile("an .imr file needs all of its bytes, got a truncated one.")
        if self._member.eof:
            self._member = zlib.decompressobj(_GZIP)
        member = self._member
        try:
            found = member.decompress(self._waiting, most)
        except zlib.error as error:
            raise BadFile(f"an .imr file needs to be gzip, got other bytes ({error}).") from error
        self._waiting = member.unused_data if member.eof else member.unconsumed_tail
        return found


def _member(piece: Bytes) -> bytes:
    """By Huffman's code alone unless looking for repetitions pays, which its middle tells."""
    start = max(0, (len(piece) - _TRIED) // 2)
    tried = piece[start : start + _TRIED]
    alone, looking = zlib.Z_HUFFMAN_ONLY, zlib.Z_DEFAULT_STRATEGY
    pays = len(_gzip(tried, looking)) < _GAIN * len(_gzip(tried, alone))
    return _gzip(piece, looking if pays else alone)


def _gzip(piece: Bytes, way: int) -> bytes:
    member = zlib.compressobj(6, zlib.DEFLATED, _GZIP, 8, way)
    return member.compress(piece) + member.flush()
