"""A picture whose header is read, and which decoder has every one of its samples exactly."""

import struct
from dataclasses import dataclass
from typing import Protocol

from PIL import Image, ImageFile

from imrep.images import _extras, _light, _plain, _png, _tiff
from imrep.images._light import ColourSpace
from imrep.images._stored import StoredPixels

JPEG = ("JPEG", "MPO")  # MPO: a JPEG followed by further pictures, as phones write
_HDR = (16, 18)  # transfer functions of H.273: PQ and HLG
_WIDE = (9, 11, 12)  # primaries of H.273: BT.2020 and P3


class Reader(Protocol):
    """Decodes what Pillow does not have exactly."""

    @property
    def width(self) -> int:
        """Pixels across, as stored."""

    @property
    def height(self) -> int:
        """Pixels down, likewise."""

    def read(self) -> StoredPixels:
        """The samples, not turned upright."""


@dataclass(frozen=True)
class Opened:
    """A picture, not yet decoded.

    Attributes:
        name: By which messages call it.
        data: The bytes of the file; empty for a picture that was in memory.
        image: Pillow's; where `reader` decodes, it holds no more than metadata.
        format: "JPEG", "PNG", "TIFF", "HEIF", "RAW", "DICOM" …
        mode: Pillow's name of the pixels as stored, or words such as "RGB 16".
        size: Width and height as stored.
        reader: What decodes it; None for Pillow.
        turned: EXIF orientation where `reader` decodes.
    """

    name: str
    data: bytes
    image: Image.Image
    format: str
    mode: str
    size: tuple[int, int]
    reader: Reader | None = None
    turned: int = 1

    @property
    def is_jpeg(self) -> bool:
        """Whether it can be decoded at a part of its size."""
        return self.format in JPEG

    @property
    def profile(self) -> bytes | None:
        """The ICC profile that holds; a PNG's code points go before it."""
        profile = self.image.info.get("icc_profile")
        if not isinstance(profile, bytes):
            return None
        return None if self.format == "PNG" and _png.has_code_points(self.data) else profile

    @property
    def orientation(self) -> int:
        """EXIF orientation, 1 to 8; 1 where there is none or it cannot be read.

        Ask after decoding: Pillow turns TIFF files itself.
        """
        if self.reader is not None:
            return self.turned
        try:
            value = self.image.getexif().get(0x0112, 1)
        except Exception:  # damaged EXIF raises anything; the pixels are still good
            return 1
        return value if isinstance(value, int) and 1 <= value <= 8 else 1

    @property
    def colour_space(self) -> ColourSpace | None:
        """What the file says of its colours otherwise than by a profile; None for sRGB."""
        if self.format == "PNG":
            return _png.colour_space(self.data)
        if not self.data:
            return _png.colour_space_of(self.image.info)
        if self.format in ("AVIF", "HEIF") and self.profile is None:
            return _of_nclx(self.data)
        return None


def by_pillow(data: bytes, name: str, image: ImageFile.ImageFile) -> Opened:
    """What Pillow decodes."""
    if image.format == "PNG":
        _png.repair_key(image.info, data)
    return Opened(name, data, image, image.format or "", image.mode, image.size)


def in_memory(image: Image.Image, name: str) -> Opened:
    """A picture of Pillow's that is no file, or no longer one."""
    return Opened(name, b"", image, "", image.mode, image.size)


def by_reader(data: bytes, name: str, identified: ImageFile.ImageFile | None) -> Opened | None:
    """What is decoded by another than Pillow, which may have read its header; else None.

    Raises:
        BadFile: A package is missing.
        Exception: What a reader raises on damaged headers.
    """
    if data.startswith(_tiff.STARTS):
        return _tiff_opened(data, name, identified)
    kind = _extras.kind(data[:160])
    if kind == "camera raw":
        return _of(data, name, _extras.Raw(data, name), "RAW", "RGB")
    if kind == "DICOM":
        dicom = _extras.dicom(data, name)
        return _of(data, name, dicom, "DICOM", dicom.mode)
    if header := _plain.header(data):
        return _of(data, name, header, header.form, "RGB" if header.channels > 2 else "L")
    return None


def _tiff_opened(data: bytes, name: str, image: ImageFile.ImageFile | None) -> Opened | None:
    if image is not None and (image.format != "TIFF" or _tiff.pillow_is_exact(image)):
        return None
    tiff = _tiff.opened(data, name)
    if tiff.is_raw:
        return _of(data, name, _extras.Raw(data, name), "RAW", "RGB")
    size = (tiff.width, tiff.height)
    carrier = image or Image.Image()
    mode = image.mode if image else tiff.mode
    return Opened(name, data, carrier, "TIFF", mode, size, tiff, tiff.orientation)


def _of(data: bytes, name: str, reader: Reader, form: str, mode: str) -> Opened:
    size = (reader.width, reader.height)
    return Opened(name, data, Image.Image(), form, mode, size, reader)


def _of_nclx(data: bytes) -> ColourSpace | None:
    """By the colour box of an HEIF file, where it says more than some kind of sRGB."""
    at = data.find(b"colrnclx", 0, 1 << 16)
    if at < 0 or at + 12 > len(data):
        return None
    primaries, transfer = struct.unpack_from(">HH", data, at + 8)
    if transfer not in _HDR and primaries not in _WIDE:
        return None
    return _light.of_code_points(primaries, transfer if transfer in _HDR else 13)
