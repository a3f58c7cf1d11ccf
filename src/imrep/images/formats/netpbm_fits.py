"""Uncompressed formats, Netpbm and FITS, with the number ranges that their headers state."""

import re
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from imrep.images.stored_pixels import StoredPixels, floats, integers

_TOKEN = re.compile(rb"(?:\s|#[^\n]*\n)*([^\s#]+)")
_PAM_CHANNELS = {
    "BLACKANDWHITE": 1,
    "GRAYSCALE": 1,
    "RGB": 3,
    "BLACKANDWHITE_ALPHA": 2,
    "GRAYSCALE_ALPHA": 2,
    "RGB_ALPHA": 4,
}
_FITS_BLOCK, _FITS_CARD = 2880, 80
_FITS_TYPES = {"8": "u1", "16": ">i2", "32": ">i4", "64": ">i8", "-32": ">f4", "-64": ">f8"}


class Header:
    """The header of an uncompressed image: size, type of numbers, and where they begin."""

    dtype: np.dtype
    blank: int | None

    def __init__(self, data: bytes, format: str, width: int, height: int, channels: int) -> None:
        self._data = data
        self.format, self.width, self.height, self.channels = format, width, height, channels
        self.offset, self.max_value, self.dtype = 0, 255, np.dtype(np.uint8)
        self.scale, self.zero, self.blank = 1.0, 0.0, None

    def read(self) -> StoredPixels:
        """The samples. Raises EOFError where the file ends before them."""
        count = self.width * self.height * self.channels
        if len(self._data) < self.offset + count * self.dtype.itemsize:
            raise EOFError("truncated file")
        values = np.frombuffer(self._data, self.dtype, count, self.offset)
        values = values.reshape(self.height, self.width, self.channels)
        native = values.astype(self.dtype.newbyteorder("="))
        return self._fits(native[::-1]) if self.format == "FITS" else self._netpbm(native)

    def _netpbm(self, values: NDArray) -> StoredPixels:
        if values.dtype.kind == "f":
            return floats(values[::-1])  # bottom row first
        bits = 8 * values.dtype.itemsize
        white = float(self.max_value)
        return replace(integers(values, bits), full=(0.0, white), opaque=white)

    def _fits(self, values: NDArray) -> StoredPixels:
        if values.dtype.kind == "f":
            return floats(
                values * self.scale + self.zero if (self.scale, self.zero) != (1, 0) else values
            )
        bits = 8 * values.dtype.itemsize
        if self.blank is None and self.scale == 1 and values.dtype == np.uint8 and not self.zero:
            return integers(values, 8)
        if self.blank is None and self.scale == 1 and bits == 16 and self.zero == 32768:
            return integers((values.astype(np.int32) + 32768).astype(np.uint16), 16)
        if self.blank is None and (self.scale, self.zero) == (1, 0):
            return integers(values, bits, signed=True)
        scaled = values * np.float64(self.scale) + self.zero
        return floats(np.where(values == self.blank, np.nan, scaled))


def header(data: bytes) -> Header | None:
    """The header of an image that Pillow does not decode exactly; None for others.

    Those are Netpbm files with another maximum value than 255, PAM, PFM, and FITS.

    Raises:
        ValueError: The header is inconsistent.
    """
    if data[:2] in (b"P5", b"P6"):
        return _pnm(data)
    if data[:2] == b"P7" and data[2:3] in (b"\n", b"\r"):
        return _pam(data)
    if data[:2] in (b"Pf", b"PF") and data[2:3].isspace():
        return _pfm(data)
    return _fits(data) if data.startswith(b"SIMPLE  =") else None


def _tokens(data: bytes, count: int) -> tuple[list[bytes], int]:
    """The first tokens after the magic number, and the offset of the samples."""
    position, tokens = 2, []
    for _ in range(count):
        match = _TOKEN.match(data, position)
        if match is None or len(match[1]) > 20:
            raise ValueError("a damaged header")
        tokens.append(match[1])
        position = match.end()
    return tokens, position + 1


def _pnm(data: bytes) -> Header | None:
    (width, height, max_value), offset = _tokens(data, 3)
    if max_value == b"255":
        return None
    result = Header(data, "PPM", int(width), int(height), 3 if data[:2] == b"P6" else 1)
    return _with_max_value(result, int(max_value), offset)


def _with_max_value(result: Header, max_value: int, offset: int) -> Header:
    if not 1 <= max_value <= 65535:
        raise ValueError(f"a maximum value of {max_value}")
    result.max_value, result.offset = max_value, offset
    result.dtype = np.dtype(">u2" if max_value > 255 else "u1")
    return result


def _pam(data: bytes) -> Header:
    end = data.find(b"ENDHDR", 0, 4096)
    if end < 0:
        raise ValueError("a header without an end")
    lines = (line.split(None, 1) for line in data[2:end].decode("latin-1").splitlines())
    fields = {line[0]: line[1].strip() for line in lines if len(line) == 2 and line[0][0] != "#"}
    depth = int(fields["DEPTH"])
    if depth != 1 and _PAM_CHANNELS.get(fields.get("TUPLTYPE", "")) != depth:
        raise ValueError(f"unsupported tuples of {depth}, {fields.get('TUPLTYPE')}")
    result = Header(data, "PAM", int(fields["WIDTH"]), int(fields["HEIGHT"]), depth)
    return _with_max_value(result, int(fields["MAXVAL"]), data.index(b"\n", end) + 1)


def _pfm(data: bytes) -> Header:
    (width, height, scale), offset = _tokens(data, 3)
    result = Header(data, "PFM", int(width), int(height), 3 if data[:2] == b"PF" else 1)
    result.offset, result.dtype = offset, np.dtype("<f4" if float(scale) < 0 else ">f4")
    return result


def _fits(data: bytes) -> Header | None:
    """The first header, if its image has two dimensions; others are left to Pillow."""
    fields: dict[str, str] = {}
    position = 0
    while (card := data[position : position + _FITS_CARD].decode("latin-1"))[:8].rstrip() != "END":
        if len(card) < _FITS_CARD or position > 100 * _FITS_BLOCK:
            raise ValueError("a header without an end")
        if card[8:10] == "= ":
            fields.setdefault(card[:8].rstrip(), card[10:].split("/")[0].strip())
        position += _FITS_CARD
    if fields.get("NAXIS") not in ("2", "3") or fields.get("NAXIS3", "1") not in ("1", "3"):
        return None
    if fields.get("NAXIS3") == "3":
        raise ValueError("unsupported planes of FITS")
    result = Header(data, "FITS", int(fields["NAXIS1"]), int(fields["NAXIS2"]), 1)
    result.dtype = np.dtype(_FITS_TYPES[fields["BITPIX"]])
    result.scale, result.zero = (
        float(fields.get(key, value).replace("D", "E"))  # Fortran's exponents, as FITS permits
        for key, value in (("BSCALE", "1"), ("BZERO", "0"))
    )
    result.blank = int(fields["BLANK"]) if "BLANK" in fields else None
    result.offset = -(-(position + _FITS_CARD) // _FITS_BLOCK) * _FITS_BLOCK
    return result
