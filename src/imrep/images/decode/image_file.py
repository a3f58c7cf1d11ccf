"""An image whose header is read, and the decoder that gives its samples exactly."""

import struct
from dataclasses import dataclass
from typing import Protocol

from PIL import Image, ImageFile

from imrep.images.colour import spaces
from imrep.images.colour.spaces import ColourSpace
from imrep.images.formats import dicom, netpbm_fits, optional, png, tiff
from imrep.images.stored_pixels import StoredPixels

JPEG = ("JPEG", "MPO")  # MPO: a JPEG followed by further pictures, as phones write
_HDR = (16, 18)  # transfer functions of H.273: PQ and HLG
_WIDE = (9, 11, 12)  # primaries of H.273: BT.2020 and P3


class Decoder(Protocol):
    """Decodes a file that Pillow does not decode exactly."""

    @property
    def width(self) -> int:
        """Pixels across, as stored."""

    @property
    def height(self) -> int:
        """Pixels down, as stored."""

    def read(self) -> StoredPixels:
        """The samples, in their stored orientation."""


@dataclass(frozen=True)
class OpenedImage:
    """An image file, not yet decoded.

    Attributes:
        name: The name in messages.
        data: The bytes of the file; empty for an image that was in memory.
        image: Pillow's image; where `decoder` is set, it holds no more than metadata.
        format: "JPEG", "PNG", "TIFF", "HEIF", "RAW", "DICOM" …
        mode: Pillow's name of the pixels as stored, or words such as "RGB 16".
        size: Width and height as stored.
        decoder: What decodes it; None for Pillow.
        decoder_orientation: EXIF orientation where `decoder` is set.
    """

    name: str
    data: bytes
    image: Image.Image
    format: str
    mode: str
    size: tuple[int, int]
    decoder: Decoder | None = None
    decoder_orientation: int = 1

    @property
    def is_jpeg(self) -> bool:
        """Whether it can be decoded at a fraction of its size."""
        return self.format in JPEG

    @property
    def profile(self) -> bytes | None:
        """The ICC profile that applies; a PNG's cICP code points take precedence over it."""
        profile = self.image.info.get("icc_profile")
        if not isinstance(profile, bytes):
            return None
        return None if self.format == "PNG" and png.has_code_points(self.data) else profile

    @property
    def orientation(self) -> int:
        """EXIF orientation, 1 to 8; 1 where there is none or it cannot be read.

        Read it after decoding: Pillow rotates TIFF files itself.
        """
        if self.decoder is not None:
            return self.decoder_orientation
        try:
            value = self.image.getexif().get(0x0112, 1)
        except Exception:  # damaged EXIF raises arbitrary exceptions; the pixels are intact
            return 1
        return value if isinstance(value, int) and 1 <= value <= 8 else 1

    @property
    def colour_space(self) -> ColourSpace | None:
        """The colour space that the file states other than by a profile; None for sRGB."""
        if self.format == "PNG":
            return png.colour_space(self.data)
        if not self.data:
            return png.colour_space_of(self.image.info)
        if self.format in ("AVIF", "HEIF") and self.profile is None:
            return _of_nclx(self.data)
        return None


def by_pillow(data: bytes, name: str, image: ImageFile.ImageFile) -> OpenedImage:
    """An image that Pillow decodes."""
    if image.format == "PNG":
        png.repair_transparent_gray(image.info, data)
    return OpenedImage(name, data, image, image.format or "", image.mode, image.size)


def in_memory(image: Image.Image, name: str) -> OpenedImage:
    """A Pillow image that does not, or no longer does, stand for a file."""
    return OpenedImage(name, b"", image, "", image.mode, image.size)


def by_decoder(
    data: bytes, name: str, identified: ImageFile.ImageFile | None
) -> OpenedImage | None:
    """An image that another decoder than Pillow reads exactly; else None.

    `identified` is Pillow's image of the same file, where it knows the format.

    Raises:
        BadFile: A package is missing.
        Exception: What a decoder raises on damaged headers.
    """
    if data.startswith(tiff.STARTS):
        return _by_tifffile(data, name, identified)
    optional_format = optional.format_of(data[:160])
    if optional_format == "camera raw":
        return _of(data, name, optional.Raw(data, name), "RAW", "RGB")
    if optional_format == "DICOM":
        image = dicom.opened(data, name)
        return _of(data, name, image, "DICOM", image.mode)
    if header := netpbm_fits.header(data):
        return _of(data, name, header, header.format, "RGB" if header.channels > 2 else "L")
    return None


def _by_tifffile(data: bytes, name: str, image: ImageFile.ImageFile | None) -> OpenedImage | None:
    if image is not None and (image.format != "TIFF" or tiff.pillow_is_exact(image)):
        return None
    page = tiff.opened(data, name)
    if page.is_raw:
        return _of(data, name, optional.Raw(data, name), "RAW", "RGB")
    size = (page.width, page.height)
    carrier = image or Image.Image()
    mode = image.mode if image else page.mode
    return OpenedImage(name, data, carrier, "TIFF", mode, size, page, page.orientation)


def _of(data: bytes, name: str, decoder: Decoder, form: str, mode: str) -> OpenedImage:
    size = (decoder.width, decoder.height)
    return OpenedImage(name, data, Image.Image(), form, mode, size, decoder)


def _of_nclx(data: bytes) -> ColourSpace | None:
    """The colour space in the colour box of an HEIF file; None for variants of sRGB."""
    box = data.find(b"colrnclx", 0, 1 << 16)
    if box < 0 or box + 12 > len(data):
        return None
    primaries, transfer = struct.unpack_from(">HH", data, box + 8)
    if transfer not in _HDR and primaries not in _WIDE:
        return None
    return spaces.of_code_points(primaries, transfer if transfer in _HDR else 13)
