"""DICOM by pydicom: rescaled, windowed and coloured as the tags say."""

import importlib
import io
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imrep.errors import BadFile
from imrep.images._stored import StoredPixels, floats, integers


class Dicom:
    """The first frame of a DICOM file, not yet decoded.

    Raises:
        BadFile: It holds no pixels.
    """

    def __init__(self, pydicom: Any, data: bytes, name: str) -> None:
        self._tags = pydicom.dcmread(io.BytesIO(data), force=False)
        self._name = name
        if "PixelData" not in self._tags:
            raise BadFile(f"{name} needs an image, got DICOM without pixels. Leave it out.")
        self.width, self.height = int(self._tags.Columns), int(self._tags.Rows)
        self.mode = f"{self._tags.PhotometricInterpretation} {self._tags.BitsStored}"

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
            return integers(values, int(tags.BitsStored))
        if photometric not in ("MONOCHROME1", "MONOCHROME2"):
            raise BadFile(f"{self._name} is DICOM of {photometric}, which cannot be read.")
        stored = self._gray(pixels, values)
        if photometric == "MONOCHROME1" or tags.get("PresentationLUTShape") == "INVERSE":
            full = None if stored.full is None else stored.full[::-1]
            return replace(stored, full=full, inverted=True)
        return stored

    def _decoded(self, pixels: Any) -> NDArray:
        """(h, w) or (h, w, 3) as stored; YBR becomes RGB."""
        syntax = self._tags.file_meta.TransferSyntaxUID
        try:
            values: NDArray = pixels.pixel_array(self._tags, index=0)
            return values
        except (RuntimeError, NotImplementedError, AttributeError, ImportError) as error:
            if not syntax.is_compressed:
                raise
            raise BadFile(
                f"{self._name} is DICOM compressed as {syntax.name}, for which no decoder is "
                "installed. Save it uncompressed."
            ) from error

    def _gray(self, pixels: Any, values: NDArray) -> StoredPixels:
        tags = self._tags
        rescaled = pixels.apply_modality_lut(values, tags)
        if "VOILUTSequence" in tags:
            table = tags.VOILUTSequence[0]
            shown = pixels.apply_voi(rescaled, tags)[..., None]
            bits = int(table.LUTDescriptor[2])
            return replace(integers(shown, bits), full=(0.0, float(2**bits - 1)))
        if tags.get("WindowWidth") is not None and tags.get("WindowCenter") is not None:
            shown = _windowed(rescaled, tags)
            return replace(floats(shown[..., None]), full=(0.0, 1.0))
        if int(tags.PixelRepresentation) == 0:  # rescaling moves black and white with the values
            return integers(values[..., None], int(tags.BitsStored))
        return replace(floats(rescaled[..., None]), kind=f"{tags.BitsStored}-bit signed integers")


def _first(value: Any) -> float:
    """A window's number, or the first of several windows'."""
    return float(value[0] if hasattr(value, "__len__") else value)


def _windowed(values: NDArray, tags: Any) -> NDArray[np.float32]:
    """PS3.3, C.11.2.1.2 and C.11.2.1.3, to [0, 1]."""
    values, function = values.astype(np.float64), str(tags.get("VOILUTFunction", "LINEAR"))
    centre, width = _first(tags.WindowCenter), _first(tags.WindowWidth)
    if function == "SIGMOID":
        shown = 1 / (1 + np.exp(-4 * (values - centre) / width))
    elif function == "LINEAR_EXACT":
        shown = (values - centre) / width + 0.5
    elif width <= 1:
        shown = (values > centre - 0.5).astype(np.float64)
    else:
        shown = (values - (centre - 0.5)) / (width - 1) + 0.5
    return np.asarray(shown, np.float32).clip(0, 1)
