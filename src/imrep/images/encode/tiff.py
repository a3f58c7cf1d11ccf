"""TIFF files of one image, for every type of samples."""

import io
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

from imrep.images.original_image import Original

_IFDS = (0x8769, 0x8825)  # EXIF's own directories: camera and GPS
_FORMATS = {"u": 1, "i": 2, "f": 3}  # of samples, by NumPy's letter
_DESCRIPTION = 270
_NONE, _LZW, _DEFLATE, _PACKBITS = 1, 5, 8, 32773
_PILLOW = {_LZW: "tiff_lzw", _PACKBITS: "packbits"}
_BYTE = 1  # TIFF's type


def encoded(values: NDArray, picture: Original) -> bytes:
    """The file: tags, then strips. Pillow writes neither 16-bit colours nor floats.

    Args:
        values: (h, w, 1 to 4), of a type of 8 to 64 bits.
        picture: The image that they are the samples of, for its metadata.
    """
    height, width, channels = values.shape
    compression = {32946: _DEFLATE, None: _DEFLATE}.get(
        picture.metadata.coding.tiff, picture.metadata.coding.tiff or _DEFLATE
    )
    if compression not in (_NONE, _LZW, _DEFLATE, _PACKBITS):
        compression = _DEFLATE
    rows = values.astype(values.dtype.newbyteorder("<")).reshape(height, -1).view(np.uint8)
    gray = 0 if picture.samples.inverted else 1
    photometric = 2 if channels > 2 else gray
    strips, per_strip = _strips(rows, compression)
    tags: Any = ImageFileDirectory_v2(prefix=b"II")
    _describe(tags, picture)
    if channels in (2, 4):
        tags[338] = 2  # the last channel is straight alpha
    tags[256], tags[257], tags[258] = width, height, (8 * values.itemsize,) * channels
    tags[259], tags[262], tags[277] = compression, photometric, channels
    tags[339] = (_FORMATS[values.dtype.kind],) * channels
    tags[278], tags[279] = per_strip, tuple(map(len, strips))
    # Offsets relative to the end of the tags: Pillow adds its position.
    tags[273] = tuple(np.cumsum([0, *map(len, strips)])[:-1].tolist())
    file = io.BytesIO()
    tags.save(file)
    return file.getvalue() + b"".join(strips)


def _describe(tags: Any, picture: Original) -> None:
    """Add EXIF, profile, resolution, XMP, IPTC and comments to the tags."""
    metadata = picture.metadata
    if picture.exif:
        exif = Image.Exif()
        exif.load(picture.exif)
        for tag in exif:
            tags[tag] = exif.get_ifd(tag) if tag in _IFDS else exif[tag]
    if picture.profile:
        tags[34675] = picture.profile
    if picture.dpi:
        tags[282], tags[283], tags[296] = *picture.dpi, 2
    if metadata.xmp:
        tags.tagtype[700], tags[700] = _BYTE, metadata.xmp
    if metadata.iptc:
        tags.tagtype[34377], tags[34377] = _BYTE, metadata.iptc
    if metadata.comments and _DESCRIPTION not in tags:
        tags[_DESCRIPTION] = b"\n".join(metadata.comments)  # Pillow writes other texts as ASCII


def _strips(rows: NDArray[np.uint8], compression: int) -> tuple[list[bytes], int]:
    """The compressed strips, and the number of rows in each."""
    height = len(rows)
    if compression == _NONE:
        return [rows.tobytes()], height
    if compression == _DEFLATE:
        return [zlib.compress(rows.tobytes(), 6)], height
    # LZW and PackBits work on bytes: libtiff writes them as a gray image, whose strips are copied.
    file = io.BytesIO()
    Image.fromarray(rows).save(file, "TIFF", compression=_PILLOW[compression])
    data = file.getvalue()
    with Image.open(io.BytesIO(data)) as image:
        assert isinstance(image, TiffImageFile)
        offsets, sizes = image.tag_v2[273], image.tag_v2[279]
        per_strip = image.tag_v2.get(278, height)
    return [data[start : start + n] for start, n in zip(offsets, sizes, strict=True)], per_strip
