"""From the bytes of a file to an opened image: its decoder, its limits, failures as BadFile."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from PIL import Image, ImageFile

from imrep.errors import BadFile, ImrepError
from imrep.images.decode import file_bytes, guards, image_file, signatures
from imrep.images.decode.image_file import JPEG, OpenedImage
from imrep.images.formats import optional, tiff

MAX_PIXELS = 200_000_000
_MAX_PYTHON_PIXELS = 5_000_000  # for decoders that Pillow has in Python: up to 3 µs a pixel
_MAX_SCANNED_PIXELS = 10 * MAX_PIXELS  # scans × pixels: some JPEGs hold hundreds of empty scans
# EPS starts Ghostscript, WMF and the stubs need a system renderer or a handler of their own.
_REFUSED = frozenset({"EPS", "WMF", "BUFR", "GRIB", "HDF5", "MPEG"})

# Without a handler Python prints the libraries' log messages on standard error.
for _library in ("PIL", "tifffile", "pydicom", "pillow_heif"):
    logging.getLogger(_library).addHandler(logging.NullHandler())


@contextmanager
def opening(source: str | Path | bytes | Image.Image, max_pixels: int) -> Iterator[OpenedImage]:
    """The image in a file or object, to be decoded in the block: failures there are BadFile."""
    if isinstance(source, Image.Image):
        data, name = file_bytes.of_pillow(source), "this picture"
    else:
        data, name = file_bytes.fetch(source)
    with guards.guarded(name):
        picture = opened(data, name, max_pixels) if data else None
        if isinstance(source, Image.Image) and (picture is None or not _same(source, picture)):
            picture = image_file.in_memory(source, name)
            _check_limits(picture, max_pixels)
        assert picture is not None
        with guards.memory_lock(picture):
            yield picture


def _same(image: Image.Image, picture: OpenedImage) -> bool:
    """Whether an object still stands for its file: at the first frame, at full size."""
    frame = getattr(image, "tell", lambda: 0)()
    return frame == 0 and (picture.decoder is not None or image.size == picture.size)


def opened(data: bytes, name: str, max_pixels: int = MAX_PIXELS) -> OpenedImage:
    """The image in `data`, its header read and its size within the limits, not yet decoded.

    `Image.open` is not used: it refuses at a limit that is global to the process.

    Raises:
        BadFile: No image, a format that is refused, a damaged header, too many pixels.
    """
    if data.startswith(signatures.COMMON) and not data.startswith(signatures.JPEG_LS):
        picture = image_file.by_pillow(data, name, _identified(data, name))  # nearly all files
    else:
        signatures.refuse_other_files(data[:1024], name)
        picture = _opened_exactly(data, name)
    _check_limits(picture, max_pixels)
    return picture


def _opened_exactly(data: bytes, name: str) -> OpenedImage:
    """By the decoder that gives every sample as the file means it."""
    optional_format = optional.format_of(data[:160])
    if optional_format == "HEIC" and b"avif" not in data[8 : 8 + data[3]]:
        return image_file.by_pillow(data, name, optional.heif(data, name))
    if optional_format == "JPEG XL":
        return image_file.by_pillow(data, name, optional.jxl(data, name))
    if data.startswith(tiff.STARTS):
        return _opened_tiff(data, name)
    picture = image_file.by_decoder(data, name, None)
    return picture or image_file.by_pillow(data, name, _identified(data, name))


def _opened_tiff(data: bytes, name: str) -> OpenedImage:
    """By tifffile where Pillow does not know the file, or does not decode it exactly."""
    guards.mute_libtiff()
    try:
        image, refusal = _identified(data, name), None
    except BadFile as error:
        image, refusal = None, error
    try:
        picture = image_file.by_decoder(data, name, image)
    except ImrepError:
        raise
    except Exception as error:  # damaged for both: Pillow's message is the clearer one
        raise refusal or error from error
    return picture or image_file.by_pillow(data, name, cast("ImageFile.ImageFile", image))


def _identified(data: bytes, name: str) -> ImageFile.ImageFile:
    """By the first format that opens it; formats without a signature are tried last."""
    damage: tuple[str, Exception] | None = None
    for candidate in _formats():
        factory, accept = Image.OPEN[candidate]
        if accept is None and damage and signatures.looks_like_image(data[:32]):
            break
        accepted = accept(data[:16]) if accept else True
        if isinstance(accepted, str) or not accepted:
            continue
        try:
            return _instance(factory, data)
        except Exception as error:  # this format's plugin, on damaged bytes or another format's
            damage = damage or ((candidate, error) if accept else None)
    if damage:
        raise BadFile(f"{name} {guards.reason(damage[1], damage[0])}") from damage[1]
    start = data[:8].hex(" ")
    raise BadFile(f"{name} needs to be an image, got bytes of no known format ({start}).")


@lru_cache(maxsize=1)
def _formats() -> tuple[str, ...]:
    """What Pillow reads, plugins included: common ones first, those without a signature last."""
    Image.preinit()
    Image.init()
    names = [name for name in Image.ID if name not in _REFUSED]
    return tuple(sorted(names, key=lambda name: Image.OPEN[name][1] is None))


def _instance(factory: Any, data: bytes) -> ImageFile.ImageFile:
    """The plugin's image, whatever Pillow's global limit says of its size."""
    try:
        image: ImageFile.ImageFile = factory(io.BytesIO(data), "")
    except Image.DecompressionBombError:
        with guards.one_at_a_time():
            image = factory(io.BytesIO(data), "")
    return image


def _check_limits(picture: OpenedImage, max_pixels: int) -> None:
    """Refuse, before decoding, what would take too much memory or time."""
    (width, height), name, image = picture.size, picture.name, picture.image
    pixels = width * height
    size = f"{width:,} × {height:,} = {pixels:,}"
    if pixels <= 0:
        raise BadFile(f"{name} needs at least one pixel, got {size}.")
    if pixels > max_pixels:
        raise BadFile(
            f"{name} needs at most {max_pixels:,} pixels, got {size}. "
            f"Raise the limit: --max-pixels {pixels} (max_pixels={pixels})."
        )
    if picture.decoder is not None:
        return
    in_python = any(tile[0] in Image.DECODERS for tile in getattr(image, "tile", ()))
    if in_python and pixels > _MAX_PYTHON_PIXELS:
        raise BadFile(
            f"{name} needs at most {_MAX_PYTHON_PIXELS:,} pixels as {picture.format}, whose "
            f"decoder is slow, got {size}. Convert it to PNG."
        )
    if picture.format in JPEG:
        scans = picture.data.count(b"\xff\xda")
        if scans > 16 and scans * pixels > _MAX_SCANNED_PIXELS:
            raise BadFile(f"{name} needs fewer scans, got {scans} of {size} pixels. Save it again.")
