"""Pictures into files that appear whole or not at all, and what each format can hold."""

import io
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from imrep.errors import BadParameter
from imrep.images._original import Original

if TYPE_CHECKING:
    from torch import Tensor

_SAVED: dict[str, tuple[str, dict[str, Any]]] = {
    ".png": ("PNG", {}),
    ".jpg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".jpeg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".tif": ("TIFF", {}),
    ".tiff": ("TIFF", {}),
    ".webp": ("WEBP", {"lossless": True}),
}
SUFFIXES = tuple(_SAVED)
_DEEP = ("PNG", "TIFF")  # hold 16 bits
_OPAQUE = ("JPEG",)  # hold no alpha
_HEADER = 33  # bytes of PNG's signature and first chunk
_LONGEST = 65_533  # bytes of EXIF in a JPEG
_METRES = 0.0254  # to an inch
_IFDS = (0x8769, 0x8825)  # EXIF's own directories: camera and place


def form(path: Path, who: str) -> tuple[str, dict[str, Any]]:
    """Pillow's name of the format that a name asks for, and how it is written.

    Raises:
        BadParameter: None that is written.
    """
    if path.suffix.lower() not in _SAVED:
        raise BadParameter(
            f"{who} needs a name ending in {', '.join(_SAVED)}, got {path.name!r}. Try .png."
        )
    return _SAVED[path.suffix.lower()]


def coded(picture: Original, path: Path, who: str) -> tuple[bytes, tuple[str, ...]]:
    """A file of the kind that `path` names, and what of the picture its format cannot hold.

    Raises:
        BadParameter: No such kind.
    """
    kind, options = form(path, who)
    deep = picture.bits == 16 and kind in _DEEP
    opaque = picture.alpha is not None and kind in _OPAQUE
    lost = ("16 bits",) * (picture.bits == 16 and not deep) + ("transparency",) * opaque
    if kind == "JPEG" and len(picture.exif or b"") > _LONGEST:
        picture, lost = replace(picture, exif=None), (*lost, "so long EXIF")
    values = _values(picture, np.dtype(np.uint16 if deep else np.uint8), opaque)
    if deep and values.shape[2] == 2:
        values = values[..., [0, 0, 0, 1]]  # the readers at hand know no such gray
    if picture.profile and len(picture.pixels[0]) == 1 and (values.shape[2] > 2 or kind == "WEBP"):
        picture, lost = replace(picture, profile=None), (*lost, "the ICC profile of gray")
    if kind == "TIFF":
        return _tiff(values, picture), lost
    if kind == "PNG" and values.shape[2] != 2:
        return _png(values, picture), lost
    return _by_pillow(values, picture, kind, options), lost


def _values(picture: Original, dtype: np.dtype, opaque: bool) -> NDArray:
    """(h, w, 1 to 4) integers; `opaque` lays what can be seen through over white."""
    planes = [*picture.pixels[0]]
    if picture.alpha is not None:
        alpha = picture.alpha[0, 0]
        planes = [plane * alpha + (1 - alpha) for plane in planes] if opaque else [*planes, alpha]
    values = np.empty((*planes[0].shape, len(planes)), dtype)
    for i, plane in enumerate(planes):
        values[..., i] = _rounded(plane, dtype)
    return values


def _rounded(plane: "Tensor", dtype: np.dtype) -> NDArray:
    top = np.iinfo(dtype).max
    return plane.detach().cpu().float().clamp(0, 1).mul_(top).round_().numpy().astype(dtype)


def _by_pillow(values: NDArray, picture: Original, kind: str, options: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    known = {"icc_profile": picture.profile, "exif": picture.exif, "dpi": picture.dpi}
    known = {key: value for key, value in known.items() if value}
    image = Image.fromarray(values[..., 0] if values.shape[2] == 1 else values)
    image.save(file, kind, **options, **known)
    return file.getvalue()


def _png(values: NDArray, picture: Original) -> bytes:
    """By OpenCV: of 16 bits Pillow writes gray only, and it takes five times as long."""
    import cv2

    known = {
        cv2.IMAGE_METADATA_EXIF: (picture.exif or b"").removeprefix(b"Exif\0\0"),
        cv2.IMAGE_METADATA_ICCP: picture.profile or b"",
    }
    chunks = {key: np.frombuffer(value, np.uint8) for key, value in known.items() if value}
    order = [0] if values.shape[2] == 1 else [2, 1, 0, 3][: values.shape[2]]
    pixels = np.ascontiguousarray(values[..., order])
    if chunks:
        done, code = cv2.imencodeWithMetadata(".png", pixels, [*chunks], [*chunks.values()])
    else:
        done, code = cv2.imencode(".png", pixels)
    if not done:
        raise OSError("it cannot be coded as PNG")
    file = bytes(code)
    return file[:_HEADER] + _resolution(picture.dpi) + file[_HEADER:]


def _resolution(dpi: tuple[float, float] | None) -> bytes:
    """PNG's chunk of pixels per metre, which OpenCV does not write."""
    if dpi is None:
        return b""
    body = b"pHYs" + struct.pack(">IIB", *(round(n / _METRES) for n in dpi), 1)
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


def _tiff(values: NDArray, picture: Original) -> bytes:
    """One deflated strip. Pillow writes neither 16 bits of colours nor, deflated, EXIF."""
    height, width, channels = values.shape
    strip = zlib.compress(values.astype(values.dtype.newbyteorder("<")).tobytes(), 6)
    tags = ImageFileDirectory_v2(prefix=b"II")
    if picture.exif:
        exif = Image.Exif()
        exif.load(picture.exif)
        for tag in exif:
            tags[tag] = exif.get_ifd(tag) if tag in _IFDS else exif[tag]
    if picture.profile:
        tags[34675] = picture.profile
    if picture.dpi:
        tags[282], tags[283], tags[296] = *picture.dpi, 2
    if channels in (2, 4):
        tags[338] = 2  # the further channel is alpha, not multiplied in
    tags[256], tags[257], tags[258] = width, height, (8 * values.itemsize,) * channels
    tags[259], tags[262], tags[277] = 8, 2 if channels > 2 else 1, channels
    tags[278], tags[279], tags[273] = height, len(strip), 0  # an offset from the end of the tags
    file = io.BytesIO()
    tags.save(file)
    return file.getvalue() + strip
