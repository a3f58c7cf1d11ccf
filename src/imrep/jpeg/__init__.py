"""DCT coefficients straight from the bytes of a JPEG, as the file holds them.

Decoding to pixels and transforming those gives other numbers, because of rounding and clipping, and
is slower, since entropy decoding is a small part of that work. `read` gives the quantised blocks as
stored, `spectrum` the same, upright, times their quantisation tables.

A truncated or damaged file gives the blocks before the damage and the number of complete rows; one
without any is a `BadFile`. Damage that is still a valid code goes unnoticed, as in every decoder.
Both functions may be called from several threads.
"""

import ctypes
import itertools
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from imrep import _native, images
from imrep.codes import Spectrum
from imrep.errors import BadFile, ExtraNeeded
from imrep.images import MAX_PIXELS
from imrep.images.orientation import ORIENTATIONS
from imrep.io.containers import jpeg_segments

__all__ = ["MAX_PIXELS", "Coefficients", "Facts", "read", "spectrum"]

_SPACES = ("unknown", "gray", "RGB", "YCbCr", "CMYK", "YCCK")  # libjpeg's J_COLOR_SPACE
_PLANES = 4
_ORIENTATION, _APP1 = 0x0112, 0xE1
_EXIF, _XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"


@dataclass(frozen=True)
class Facts:
    """Facts of a JPEG file, and how much of it could be decoded.

    Attributes:
        name: The file's name in messages.
        size: Height and width of the image in pixels.
        space: The colour space of the planes: "gray", "YCbCr", "RGB", "CMYK", "YCCK" or "unknown".
        sampling: Vertical and horizontal sampling factor of each plane, 1 to 4. A plane whose
            factor is half the greatest has half as many rows, or columns.
        tables: Quantisation of each plane, (8, 8) by vertical and horizontal frequency.
        orientation: EXIF's, 1 to 8; 1 is upright.
        adobe: Colour transform of an Adobe marker (0 none, 1 YCbCr, 2 YCCK), else None. Files with
            one store CMYK and YCCK inverted: 255 is no ink.
        progressive: Whether coefficients came in scans of rising precision.
        arithmetic: Whether they were arithmetic-coded, not Huffman-coded.
        scans: The number of complete scans.
        complete_rows: Rows of blocks of each plane, counted from the top, that were decoded
            completely. Those below are zero, or in a progressive file of reduced precision.
        complete: Whether all rows are.
        remark: The first warning of libjpeg, "" if it had none.
    """

    name: str
    size: tuple[int, int]
    space: str
    sampling: tuple[tuple[int, int], ...]
    tables: tuple[NDArray[np.uint16], ...]
    orientation: int
    adobe: int | None
    progressive: bool
    arithmetic: bool
    scans: int
    complete_rows: tuple[int, ...]
    complete: bool
    remark: str


@dataclass(frozen=True)
class Coefficients:
    """Quantised coefficients.

    Attributes:
        blocks: int16 (rows, columns, 8, 8) of each plane, the last two being vertical and
            horizontal frequency. As many blocks as cover the plane, without those that only fill
            up an MCU.
        facts: The facts of the file.
    """

    blocks: tuple[NDArray[np.int16], ...]
    facts: Facts

    def upright(self) -> "Coefficients":
        """Rotated and mirrored to upright, exactly: blocks move, odd frequencies change sign.

        Raises:
            BadFile: A side to be mirrored ends within a block, or rows are missing.
        """
        facts = self.facts
        if facts.orientation == 1:
            return self
        _check_turn(facts)
        blocks = tuple(_rotated(plane, facts.orientation) for plane in self.blocks)
        if ORIENTATIONS[facts.orientation][0]:
            facts = replace(
                facts,
                size=facts.size[::-1],
                sampling=tuple(factors[::-1] for factors in facts.sampling),
                tables=tuple(table.T for table in facts.tables),
                complete_rows=tuple(len(plane) for plane in blocks),
            )
        return Coefficients(blocks, replace(facts, orientation=1))

    def spectrum(self) -> Spectrum:
        """The coefficients times their tables, float32 (1, 8, 8, rows, columns) of each plane."""
        planes = []
        for blocks, table in zip(self.blocks, self.facts.tables, strict=True):
            plane = np.empty((8, 8, *blocks.shape[:2]), np.float32)
            np.multiply(blocks.transpose(2, 3, 0, 1), table[:, :, None, None], out=plane)
            planes.append(plane)
        return _spectrum(planes, self.facts)


def read(source: str | Path | bytes, *, max_pixels: int = MAX_PIXELS) -> Coefficients:
    """The quantised coefficients of a JPEG as stored: not rotated, each plane at its own size.

    Every sampling, sequential and progressive, Huffman- and arithmetic-coded, one to four planes
    of 8 bits.

    Args:
        source: A path, or the bytes of a file.
        max_pixels: Greatest width × height that is decoded.

    Raises:
        BadFile: No JPEG, too large, of an unsupported type, or without any complete block.
        ExtraNeeded: imrep was built without libjpeg-turbo.

    Example:
        >>> import io, numpy, PIL.Image
        >>> from imrep import jpeg
        >>> file = io.BytesIO()
        >>> PIL.Image.fromarray(numpy.full((20, 40, 3), 200, "uint8")).save(file, "jpeg")
        >>> code = jpeg.read(file.getvalue())
        >>> code.facts.space, code.facts.sampling, [plane.shape[:2] for plane in code.blocks]
        ('YCbCr', ((2, 2), (1, 1), (1, 1)), [(3, 5), (2, 3), (2, 3)])
        >>> int(code.blocks[0][0, 0, 0, 0]) * int(code.facts.tables[0][0, 0])  # 8 (200 - 128)
        576
    """
    with _opened(source, max_pixels) as file:
        blocks = _buffers([(*shape, 8, 8) for shape in file.padded], np.int16)
        blocks = file.filled("blocks", blocks, 0)
    cropped = zip(blocks, file.shapes, strict=True)
    return Coefficients(tuple(b[:rows, :columns] for b, (rows, columns) in cropped), file.facts())


def spectrum(source: str | Path | bytes, *, max_pixels: int = MAX_PIXELS) -> tuple[Spectrum, Facts]:
    """The dequantised coefficients of a JPEG, upright, and its facts.

    Units are those of pixels from 0 to 255 minus 128, so DC is 8 (mean - 128); one float32
    (1, 8, 8, rows, columns) per plane. Where a rotation is refused, `read(source).spectrum()`
    gives them as stored.

    Args:
        source: A path, or the bytes of a file.
        max_pixels: Greatest width × height that is decoded.

    Raises:
        BadFile: As `read` and `Coefficients.upright` do.
        ExtraNeeded: imrep was built without libjpeg-turbo.
    """
    with _opened(source, max_pixels) as file:
        if file.orientation == 1:
            planes = _buffers([(8, 8, *shape) for shape in file.shapes], np.float32)
            planes = file.filled("planes", planes, 2)
            facts = file.facts()
            return _spectrum(planes, facts), facts
    stored = read(file.data, max_pixels=max_pixels)
    upright = replace(stored, facts=replace(stored.facts, name=file.name)).upright()
    return upright.spectrum(), upright.facts


class _Raw(ctypes.Structure):
    """`facts` of jpeg.c."""

    _fields_ = (
        *((key, ctypes.c_int32) for key in ("width", "height", "planes", "space", "adobe")),
        *((key, ctypes.c_int32) for key in ("progressive", "arithmetic", "precision")),
        *((key, ctypes.c_int32 * _PLANES) for key in ("across", "down", "columns", "rows")),
        *((key, ctypes.c_int32 * _PLANES) for key in ("stride", "padded", "complete", "filled")),
        *((key, ctypes.c_int32) for key in ("scans", "ended", "damaged", "warnings")),
        ("tables", ctypes.c_uint16 * 64 * _PLANES),
        ("message", ctypes.c_char * 200),
    )


_Pointers = ctypes.c_void_p * _PLANES


class _File:
    """An opened JPEG: its header is read, its coefficients are not."""

    def __init__(
        self, data: bytes, name: str, raw: _Raw, library: ctypes.CDLL, handle: int
    ) -> None:
        self.data, self.name, self.raw = data, name, raw
        self._library, self._handle = library, handle
        self.orientation = _orientation(data)
        planes = raw.planes
        self.shapes = [*zip(raw.rows[:planes], raw.columns[:planes], strict=True)]
        self.padded = [*zip(raw.padded[:planes], raw.stride[:planes], strict=True)]

    def filled(self, what: str, planes: list[NDArray], axis: int) -> list[NDArray]:
        """These planes with the decoded coefficients; `axis` is that of rows."""
        pointers = _Pointers(*(plane.__array_interface__["data"][0] for plane in planes))
        success = getattr(self._library, f"imrep_jpeg_{what}")(self._handle, pointers)
        if not success or not (self.raw.scans or any(self.raw.complete)):
            raise BadFile(f"{self.name} {_fault(self.raw)}")
        filled = self.raw.filled[: self.raw.planes]
        return [_zero_unfilled(*pair, axis) for pair in zip(planes, filled, strict=True)]

    def facts(self) -> Facts:
        """After `fill`."""
        raw, planes = self.raw, self.raw.planes
        complete_rows = tuple(raw.complete[:planes])
        tables = np.frombuffer(memoryview(raw), np.uint16, planes * 64, _Raw.tables.offset)
        return Facts(
            name=self.name,
            size=(raw.height, raw.width),
            space=_SPACES[raw.space],
            sampling=tuple(zip(raw.down[:planes], raw.across[:planes], strict=True)),
            tables=tuple(tables.reshape(planes, 8, 8).copy()),
            orientation=self.orientation,
            adobe=None if raw.adobe < 0 else raw.adobe,
            progressive=bool(raw.progressive),
            arithmetic=bool(raw.arithmetic),
            scans=raw.scans,
            complete_rows=complete_rows,
            complete=complete_rows == tuple(rows for rows, _ in self.shapes),
            remark=raw.message.decode("ascii", "replace"),
        )


@contextmanager
def _opened(source: str | Path | bytes, max_pixels: int) -> Iterator[_File]:
    library = _library()
    data = images.fetch(source)
    name = "this file" if isinstance(source, bytes) else Path(source).name
    if not data.startswith(b"\xff\xd8"):
        start = data[:8].hex(" ")
        raise BadFile(f"{name} needs to be a JPEG, got bytes that start {start}. Save it as JPEG.")
    raw = _Raw()
    handle = library.imrep_jpeg_open(data, len(data), max_pixels, ctypes.byref(raw))
    if not handle:
        raise BadFile(f"{name} {_refusal(raw, max_pixels)}")
    try:
        yield _File(data, name, raw, library, handle)
    finally:
        library.imrep_jpeg_close(handle)


def _library() -> ctypes.CDLL:
    library = _native.library("jpeg")
    if library is None:
        state = _native.state("jpeg")
        remedy = (
            "Unset that variable."
            if "IMREP_NATIVE" in state
            else "Then build it: `make native` in a checkout, or install imrep again."
        )
        raise ExtraNeeded(f"jpeg needs imrep's native library for JPEG, got one {state}. {remedy}")
    return library


def _refusal(raw: _Raw, max_pixels: int) -> str:
    """Why a header is refused, as the predicate of a sentence."""
    pixels = raw.width * raw.height
    if pixels > max_pixels:
        size = f"{raw.width:,} × {raw.height:,} = {pixels:,}"
        return f"needs at most {max_pixels:,} pixels, got {size}. Raise max_pixels."
    if raw.planes > _PLANES:
        return f"needs one to four planes of 8 bits, got {raw.message.decode()}. Save it as RGB."
    return _fault(raw)


def _fault(raw: _Raw) -> str:
    """Why a file gives no coefficients, as the predicate of a sentence."""
    why = raw.message.decode("ascii", "replace") or "it ends before its first row of blocks"
    if re.search("unsupported|not supported|not implemented|sorry", why, re.IGNORECASE):
        return f"is of a kind that cannot be read (JPEG: {why}). Save it again."
    if raw.ended:
        return f"is truncated (JPEG: {why}). Copy it again."
    return f"is damaged (JPEG: {why}). Copy or save it again."


def _check_turn(facts: Facts) -> None:
    """Refuse what cannot be rotated exactly: padding and missing rows may not change sides."""
    if not facts.complete:
        raise BadFile(
            f"{facts.name} needs to be complete to be turned upright, got "
            f"{max(facts.complete_rows)} complete rows of blocks. "
            "Copy it again, or take its coefficients as stored."
        )
    transposed, across, down = ORIENTATIONS[facts.orientation]
    flips = (across, down) if transposed else (down, across)
    greatest = [max(axis) for axis in zip(*facts.sampling, strict=True)]
    for axis, what in enumerate(("height", "width")):
        unit = 8 * greatest[axis]
        uneven = any(facts.size[axis] * factors[axis] % unit for factors in facts.sampling)
        if flips[axis] and uneven:
            raise BadFile(
                f"{facts.name} needs a {what} that is a multiple of {unit} to be turned upright "
                f"(EXIF orientation {facts.orientation}) without re-encoding, got "
                f"{facts.size[axis]}. Decode it, or take its coefficients as stored."
            )


def _rotated(blocks: NDArray[np.int16], orientation: int) -> NDArray[np.int16]:
    """Blocks (rows, columns, v, u) rotated and mirrored from EXIF's orientation to upright."""
    transposed, across, down = ORIENTATIONS[orientation]
    upright = blocks.transpose(1, 0, 3, 2) if transposed else blocks
    upright = upright[:: -1 if down else 1, :: -1 if across else 1].copy()
    if across:
        upright[..., 1::2] *= -1  # cosines of odd frequency are antisymmetric in a block
    if down:
        upright[..., 1::2, :] *= -1
    return upright


def _buffers(shapes: list[tuple[int, ...]], dtype: type) -> list[NDArray]:
    """Uninitialised arrays in one allocation, which the allocator reuses for the next file."""
    ends = list(itertools.accumulate(map(math.prod, shapes)))
    memory: NDArray = np.empty(ends[-1], dtype)
    return [
        memory[end - math.prod(shape) : end].reshape(shape)
        for end, shape in zip(ends, shapes, strict=True)
    ]


def _zero_unfilled(plane: NDArray, filled: int, axis: int) -> NDArray:
    """The plane, set to zero in the rows that were not filled."""
    if filled >= plane.shape[axis]:
        return plane
    zeros = np.zeros_like(plane)  # lazily allocated by the system
    rows = (slice(None),) * axis + (slice(filled),)
    zeros[rows] = plane[rows]
    return zeros


def _spectrum(planes: list[NDArray[np.float32]], facts: Facts) -> Spectrum:
    """The planes as a code; `sampling` is stated only where planes differ in it."""
    values = tuple(torch.from_numpy(plane)[None] for plane in planes)
    return Spectrum(values, facts.size, facts.sampling if len(set(facts.sampling)) > 1 else ())


def _orientation(data: bytes) -> int:
    """EXIF's orientation, 1 to 8, as Pillow reads it, for agreement with decoded images."""
    exif, xmp = b"", b""
    for segment in (body for marker, body, _ in jpeg_segments(data) if marker == _APP1):
        if segment.startswith(_EXIF):
            exif = exif + segment[len(_EXIF) :] if exif else segment
        elif segment.startswith(_XMP):
            xmp = segment
    if not exif and not xmp:
        return 1
    try:
        tags = Image.Exif()
        if exif:
            tags.load(exif)
        stated = re.search(rb'tiff:Orientation(="|>)([0-9])', xmp)
        value = tags.get(_ORIENTATION, int(stated[2]) if stated else 1)
    except Exception:  # damaged EXIF raises arbitrary exceptions; the coefficients are intact
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1
