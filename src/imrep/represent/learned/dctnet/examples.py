"""Examples for training that JPEG files store: no pixel is decoded.

Of the random changes, coefficients allow crops on the grid of blocks and mirroring, under which
cosines of odd frequency change their sign. A file without coefficients of luma and chroma (another
format, CMYK, one to be rotated) is decoded, and changed and transformed likewise.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.base import Change, TrainingImages
from imrep.codes import Spectrum
from imrep.errors import BadFile, BadParameter, ExtraNeeded
from imrep.jpeg import ycbcr
from imrep.represent.learned.dctnet.frequencies import Frequencies, Window

CHANGES = ("crop", "flip", "vertical_flip")
_CALLER = "dctnet"
_SOI = b"\xff\xd8"
_BLOCK = 8


@dataclass(frozen=True)
class Coefficients:
    """Crops of images at their own size, as coefficients (channels, rows, columns) of blocks.

    Args:
        images: Of the run.
        frequencies: That the network reads.
    """

    images: TrainingImages
    frequencies: Frequencies

    def random(self, row: int, change: Change) -> dict[str, Tensor]:
        """A crop, mirrored, in JPEG's units; its sides are rounded up to whole blocks.

        Raises:
            BadParameter: The change is one that coefficients do not allow.
        """
        for name in change.names:
            if name not in CHANGES:
                raise BadParameter(
                    f"{_CALLER} needs augment to be of {', '.join(CHANGES)} to read JPEG files "
                    f"without decoding, got {name}. Use --recipe jpeg, or a size to read pixels."
                )
        positions = torch.rand(2).tolist() if "crop" in change.names else [0.5, 0.5]
        values = self._cropped(row, change.side, (positions[0], positions[1]))
        for name, axis in (("flip", 2), ("vertical_flip", 1)):
            if name in change.names and float(torch.rand(())) < change.strength / 2:
                values = self.frequencies.mirrored(values, axis)
        return {"coefficients": values}

    def plain(self, row: int, side: int) -> dict[str, Tensor]:
        """The central crop."""
        return {"coefficients": self._cropped(row, side, (0.5, 0.5))}

    def _cropped(self, row: int, side: int, position: tuple[float, float]) -> Tensor:
        """A crop at a relative position, (channels, side / 8, side / 8)."""
        count = -(-side // _BLOCK)
        stored = self._stored(row)
        if stored is not None and min(stored.values[0].shape[3:]) >= count:
            window = Window.at(position, count, stored)
            return self.frequencies.of_jpeg(stored, window)[0]
        pixels = self.images.pixels.read(row)
        blocks = [max(0, n // _BLOCK - count) for n in pixels.shape[1:]]
        top, left = (_BLOCK * int(p * (n + 1)) for p, n in zip(position, blocks, strict=True))
        part = pixels[:, top : top + _BLOCK * count, left : left + _BLOCK * count]
        missing = [_BLOCK * count - n for n in part.shape[1:]]
        image = F.pad(part[None].float() / 255, (0, missing[1], 0, missing[0]), mode="replicate")
        return self.frequencies.of_pixels(image)[0]

    def _stored(self, row: int) -> Spectrum | None:
        """What a file stores; None where it has to be decoded."""
        data = self.images.items[row].read()
        if not data.startswith(_SOI):
            return None
        try:
            return ycbcr.read(data, _CALLER)
        except (BadFile, ExtraNeeded):
            return None
