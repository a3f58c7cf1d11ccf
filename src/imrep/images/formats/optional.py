"""Formats of the extra `formats`: HEIC, JPEG XL and camera raw; DICOM has its own module.

Each package is imported only when a file of its format is read.
"""

import importlib
import io
import re
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image, ImageFile

from imrep.errors import BadFile
from imrep.images.stored_pixels import StoredPixels, integers

_HEIF = re.compile(rb"....ftyp(hei[cxmsv]|hev[cmsx]|mif[12]|msf1|avic)", re.DOTALL)
_JXL = re.compile(rb"\xff\x0a|\x00\x00\x00\x0cJXL \r\n\x87\n", re.DOTALL)
_RAW = re.compile(
    rb"FUJIFILMCCD-RAW|II(RO|RS|U\0)|MMOR|II\*\0....CR\x02|....ftypcrx |FOVb|\0MRM|"
    rb"II\x1a\0\0\0HEAPCCDR",
    re.DOTALL,
)
_DICOM_OFFSET = 128
_QUARTER_TURNS = (5, 6)  # of LibRaw's flips
_JXL_BYTES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "I;16": 2, "F": 4}  # of a pixel


def format_of(start: bytes) -> str | None:
    """The optional format of a file by its first bytes: "HEIC", "JPEG XL", "camera raw", "DICOM".

    None for other formats. Raw files that begin like any TIFF show only by their tags.
    """
    if _HEIF.match(start):
        return "HEIC"
    if _JXL.match(start):
        return "JPEG XL"
    if _RAW.match(start):
        return "camera raw"
    return "DICOM" if start[_DICOM_OFFSET : _DICOM_OFFSET + 4] == b"DICM" else None


def needed(name: str, what: str, package: str) -> str:
    """The message about a missing package."""
    return f"{name} is {what}, which needs the package {package}. pip install 'imrep[formats]'"


def package(name: str, what: str, package: str, module: str) -> ModuleType:
    """The module of a package that decodes the file `name`.

    Raises:
        BadFile: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise BadFile(needed(name, what, package)) from error


def heif(data: bytes, name: str) -> ImageFile.ImageFile:
    """A HEIC or HEIF photograph, as phones write them; its header is read."""
    module = package(name, "HEIC", "pillow-heif", "pillow_heif")
    image: ImageFile.ImageFile = module.HeifImageFile(io.BytesIO(data), "")
    return image


def jxl(data: bytes, name: str) -> ImageFile.ImageFile:
    """A JPEG XL image; the package decodes it when it opens it.

    Raises:
        BadFile: The package is missing, or returns other pixels than its mode states: 16-bit
            gray with alpha comes as if it were 8-bit.
    """
    package(name, "JPEG XL", "pillow-jxl-plugin", "pillow_jxl")
    image: ImageFile.ImageFile = Image.OPEN["JXL"][0](io.BytesIO(data), "")
    pixels = getattr(image, "_data", b"")
    if len(pixels) != image.width * image.height * _JXL_BYTES.get(image.mode, 0):
        raise BadFile(f"{name} is JPEG XL of a rare kind of {image.mode}. Save it as PNG.")
    return image


class Raw:
    """A camera's raw file, developed by LibRaw without automatic brightness."""

    def __init__(self, data: bytes, name: str) -> None:
        self._rawpy: Any = package(name, "a camera's raw file", "rawpy", "rawpy")
        self._data, self._name = data, name
        with self._rawpy.imread(io.BytesIO(data)) as raw:
            sizes = raw.sizes
        upright = sizes.width, sizes.height
        self.width, self.height = upright[::-1] if sizes.flip in _QUARTER_TURNS else upright

    def read(self) -> StoredPixels:
        """16-bit sRGB, upright, with the camera's white balance."""
        with self._rawpy.imread(io.BytesIO(self._data)) as raw:
            values = raw.postprocess(
                use_camera_wb=True,
                no_auto_bright=True,
                output_bps=16,
                gamma=(2.4, 12.92),
                output_color=self._rawpy.ColorSpace.sRGB,
            )
        return integers(np.asarray(values), 16)
