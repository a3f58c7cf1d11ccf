"""DICOM by pydicom: rescaled, windowed and coloured as the tags state."""

import importlib
import io
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imrep.errors import BadFile
from imrep.images.formats import optional
from imrep.images.stored_pixels import StoredPixels, floats, integers

_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_GROUPS = ("PixelValueTransformationSequence", "FrameVOILUTSequence")


def opened(data: bytes, name: str) -> "DICOMImage":
    """The first frame of a DICOM file, its tags read.

    Raises:
        BadFile: It holds no pixels, or pydicom is missing.
    """
    return DICOMImage(optional.package(name, "DICOM", "pydicom", "pydicom"), data, name)


class DICOMImage:
    """The first frame of a DICOM file, not yet decoded.

    Raises:
        BadFile: It holds no pixels.
    """

    def __init__(self, pydicom: Any, data: bytes, name: str) -> None:
        self._tags = _with_groups(pydicom.dcmread(io.BytesIO(data), force=False))
        self._name = name
        if not any(keyword in self._tags for keyword in _PIXELS):
            raise BadFile(f"{name} needs an image, got DICOM without pixels. Leave it out.")
        self.width, self.height = int(self._tags.Columns), int(self._tags.Rows)
        self._bits = int(self._tags.get("BitsStored", self._tags.BitsAllocated))
        self._shifts = self._unused_bits()
        self.mode = f"{self._tags.PhotometricInterpretation} {self._bits}"

    def read(self) -> StoredPixels:
        """Gray by its window, or RGB.

        Raises:
            BadFile: A transfer syntax that no installed package decodes.
        """
        tags, pixels = self._tags, importlib.import_module("pydicom.pixels")
        values = self._decoded(pixels)
        photometric = tags.PhotometricInterpretation
        if photometric == "PALETTE COLOR":
            coloured = pixels.apply_color_lut(values, tags)
            return integers(coloured[..., :3], 8 * coloured.dtype.itemsize)
        if values.ndim == 3:
            return integers(values, self._bits)
        if photometric not in ("MONOCHROME1", "MONOCHROME2"):
            raise BadFile(f"{self._name} is DICOM of {photometric}, which cannot be read.")
        stored = self._gray(pixels, values)
        if photometric == "MONOCHROME1" or tags.get("PresentationLUTShape") == "INVERSE":
            full = None if stored.full is None else stored.full[::-1]
            return replace(stored, full=full, inverted=True)
        return stored

    def _decoded(self, pixels: Any) -> NDArray:
        """(h, w) or (h, w, 3) as stored; YBR is converted to RGB."""
        syntax = self._tags.file_meta.TransferSyntaxUID
        try:
            values: NDArray = pixels.pixel_array(self._tags, index=0)
            above, below = self._shifts
            return (values << above) >> (above + below) if below else values
        except (RuntimeError, NotImplementedError, AttributeError, ImportError) as error:
            if not syntax.is_compressed:
                raise
            raise BadFile(
                f"{self._name} is DICOM compressed as {syntax.name}, for which no decoder is "
                "installed. Save it uncompressed."
            ) from error

    def _unused_bits(self) -> tuple[int, int]:
        """How many bits are unused above and below those stored; pydicom expects none below."""
        tags = self._tags
        allocated, high = int(tags.BitsAllocated), int(tags.get("HighBit", self._bits - 1))
        below = high + 1 - self._bits
        if not 0 < below <= allocated - self._bits:
            return 0, 0
        tags.BitsStored, tags.HighBit = allocated, allocated - 1
        return allocated - 1 - high, below

    def _gray(self, pixels: Any, values: NDArray) -> StoredPixels:
        tags = self._tags
        rescaled = pixels.apply_modality_lut(values, tags)
        if "VOILUTSequence" in tags:
            table = tags.VOILUTSequence[0]
            displayed = pixels.apply_voi(rescaled, tags)[..., None]
            return integers(displayed, int(table.LUTDescriptor[2]))
        if tags.get("WindowWidth") is not None and tags.get("WindowCenter") is not None:
            windowed = _windowed(rescaled, tags)
            return replace(floats(windowed[..., None]), full=(0.0, 1.0))
        if "ModalityLUTSequence" in tags:
            return integers(rescaled[..., None], int(tags.ModalityLUTSequence[0].LUTDescriptor[2]))
        if values.dtype.kind == "u":  # rescaling moves black and white with the values
            stored = integers(values[..., None], self._bits)
            descending = float(tags.get("RescaleSlope", 1)) < 0
            return replace(stored, full=stored.full[::-1]) if descending and stored.full else stored
        kind = f"{self._bits}-bit signed integers" if values.dtype.kind == "i" else ""
        stored = floats(rescaled[..., None])
        return replace(stored, kind=kind or stored.kind)


def _with_groups(tags: Any) -> Any:
    """The tags with an enhanced file's functional groups of the first frame merged into them."""
    for keyword in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        sequence = tags.get(keyword)
        for name in _GROUPS if sequence else ():
            for item in (sequence[0].get(name) or [])[:1]:
                tags.update(item)
    return tags


def _first(value: Any) -> float:
    """A window's number, or the first of several windows'."""
    return float(value[0] if hasattr(value, "__len__") else value)


def _windowed(values: NDArray, tags: Any) -> NDArray[np.float32]:
    """The window of DICOM PS3.3, C.11.2.1.2 and C.11.2.1.3, to [0, 1]."""
    values, function = values.astype(np.float64), str(tags.get("VOILUTFunction", "LINEAR"))
    centre, width = _first(tags.WindowCenter), _first(tags.WindowWidth)
    if function == "SIGMOID":
        windowed = 1 / (1 + np.exp(-4 * (values - centre) / width))
    elif function == "LINEAR_EXACT":
        windowed = (values - centre) / width + 0.5
    elif width <= 1:
        windowed = (values > centre - 0.5).astype(np.float64)
    else:
        windowed = (values - (centre - 0.5)) / (width - 1) + 0.5
    return np.asarray(windowed, np.float32).clip(0, 1)
