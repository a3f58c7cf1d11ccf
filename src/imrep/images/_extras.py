"""Formats of the extra `formats`: HEIC, JPEG XL, camera raw and DICOM.

Each package is imported when a file of its kind turns up, and never before.
"""

import importlib
import io
import re
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image, ImageFile

from imrep.errors import BadFile
from imrep.images import _dicom
from imrep.images._stored import StoredPixels, integers

_HEIF = re.compile(rb"....ftyp(hei[cxmsv]|hev[cmsx]|mif[12]|msf1|avic)", re.DOTALL)
_JXL = re.compile(rb"\xff\x0a|\x00\x00\x00\x0cJXL \r\n\x87\n", re.DOTALL)
_RAW = re.compile(
    rb"FUJIFILMCCD-RAW|II(RO|RS|U\0)|MMOR|II\*\0....CR\x02|....ftypcrx |FOVb|\0MRM|"
    rb"II\x1a\0\0\0HEAPCCDR",
    re.DOTALL,
)
_DICOM_AT = 128
_JXL_BYTES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "I;16": 2, "F": 4}  # of a pixel


def kind(start: bytes) -> str | None:
    """What the first bytes of a file are of: "HEIC", "JPEG XL", "camera raw", "DICOM", or None.

    Raw files that begin like any TIFF are known by their tags only.
    """
    if _HEIF.match(start):
        return "HEIC"
    if _JXL.match(start):
        return "JPEG XL"
    if _RAW.match(start):
        return "camera raw"
    return "DICOM" if start[_DICOM_AT : _DICOM_AT + 4] == b"DICM" else None


def needed(name: str, what: str, package: str) -> str:
    """The sentence about a package that is missing."""
    return f"{name} is {what}, which needs the package {package}. pip install 'imrep[formats]'"


def package(name: str, what: str, package: str, module: str) -> ModuleType:
    """A package that reads what the file `name` is.

    Raises:
        BadFile: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise BadFile(needed(name, what, package)) from error


def heif(data: bytes, name: str) -> ImageFile.ImageFile:
    """A HEIC or HEIF photograph, its header read: Apple's and Android's phones write them."""
    module = package(name, "HEIC", "pillow-heif", "pillow_heif")
    image: ImageFile.ImageFile = module.HeifImageFile(io.BytesIO(data), "")
    return image


def jxl(data: bytes, name: str) -> ImageFile.ImageFile:
    """A JPEG XL picture, decoded: the package is given all of it at once.

    Raises:
        BadFile: The package is missing, or gives other pixels than it says: 16 bits of gray with
            alpha come as if they were 8.
    """
    package(name, "JPEG XL", "pillow-jxl-plugin", "pillow_jxl")
    image: ImageFile.ImageFile = Image.OPEN["JXL"][0](io.BytesIO(data), "")
    pixels = getattr(image, "_data", b"")
    if len(pixels) != image.width * image.height * _JXL_BYTES.get(image.mode, 0):
        raise BadFile(f"{name} is JPEG XL of a rare kind of {image.mode}. Save it as PNG.")
    return image


class Raw:
    """A camera's raw file, developed by LibRaw without regard to its own brightness."""

    def __init__(self, data: bytes, name: str) -> None:
        self._rawpy: Any = package(name, "a camera's raw file", "rawpy", "rawpy")
        self._data, self._name = data, name
        with self._rawpy.imread(io.BytesIO(data)) as raw:
            sizes = raw.sizes
        turned = sizes.flip in (5, 6)
        self.width, self.height = (
            (sizes.height, sizes.width) if turned else (sizes.width, sizes.height)
        )

    def read(self) -> StoredPixels:
        """SRGB of 16 bits, upright, with the camera's white balance."""
        with self._rawpy.imread(io.BytesIO(self._data)) as raw:
            values = raw.postprocess(
                use_camera_wb=True,
                no_auto_bright=True,
                output_bps=16,
                gamma=(2.4, 12.92),
                output_color=self._rawpy.ColorSpace.sRGB,
            )
        return integers(np.asarray(values), 16)


def dicom(data: bytes, name: str) -> "_dicom.Dicom":
    """A DICOM file, its tags read."""
    return _dicom.Dicom(package(name, "DICOM", "pydicom", "pydicom"), data, name)
