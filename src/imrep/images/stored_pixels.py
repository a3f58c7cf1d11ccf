"""Samples as a file stores them, with the meaning that its tags state."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imrep.errors import BadFile


@dataclass(frozen=True)
class StoredPixels:
    """Samples in their own type, units and orientation.

    Attributes:
        values: (h, w, 1 to 4), gray or RGB and then alpha if there is any; uint8, uint16, int32,
            float32 … as in the file.
        full: The numbers of black and white that the file states; white below black where 0 is
            white. None where it states none: floats, signed integers, integers of 32 bits and more.
        opaque: The number in the alpha channel that means opaque; 1 where it is floating.
        premultiplied: Whether the colours were multiplied by alpha.
        inverted: Whether a file without a stated range declares its smallest number white.
        profile: ICC profile of the values, None for sRGB or where they were converted to it.
        kind: The type of the numbers in words: "32-bit floats".
        lost: What of the file was dropped or converted, in words.
    """

    values: NDArray
    full: tuple[float, float] | None = (0, 255)
    opaque: float = 255
    premultiplied: bool = False
    inverted: bool = False
    profile: bytes | None = None
    kind: str = "8-bit integers"
    lost: tuple[str, ...] = ()

    @property
    def channels(self) -> int:
        """1 for gray, 3 for RGB; alpha is not counted."""
        count: int = self.values.shape[2]
        return count - 1 + count % 2

    @property
    def has_alpha(self) -> bool:
        """Whether the last channel is alpha."""
        return self.values.shape[2] > self.channels

    @property
    def assumption(self) -> str:
        """The assumption made where the caller states no range, or ""."""
        return "" if self.full else f"{self.kind} were read with 0 as black and 1 as white"

    def black_and_white(
        self, data_range: tuple[float, float] | None, name: str
    ) -> tuple[float, float]:
        """The numbers of black and white: the file's own, else `data_range`, else 0 and 1.

        Raises:
            BadFile: Numbers outside [0, 1], or integers, without a stated range or `data_range`.
        """
        if self.full is not None:
            return self.full
        if data_range is None:
            self._refuse_without_scale(name)
        black, white = data_range or (0.0, 1.0)
        return (white, black) if self.inverted else (black, white)

    def unit(self, data_range: tuple[float, float] | None, name: str) -> NDArray[np.float32]:
        """(h, w, 1 to 4) in [0, 1]: colours with straight alpha, clipped to the range.

        NaN and infinity, which mark missing measurements, become black.

        Raises:
            BadFile: As `black_and_white`.
        """
        black, white = self.black_and_white(data_range, name)
        colours = _scaled(self.values[..., : self.channels], black, white)
        if not self.has_alpha:
            return colours
        alpha = _scaled(self.values[..., self.channels :], 0, self.opaque)
        if self.premultiplied:
            colours = np.divide(colours, alpha, out=np.zeros_like(colours), where=alpha > 0)
            colours = colours.clip(0, 1)
        return np.concatenate([colours, alpha], axis=2)

    def with_alpha(self, visible: NDArray) -> "StoredPixels":
        """With an alpha channel from a mask of visible pixels; unchanged if it has one already."""
        if self.has_alpha:
            return self
        alpha = (visible * self.opaque).astype(self.values.dtype)[..., None]
        return replace(self, values=np.concatenate([self.values, alpha], axis=2))

    def _refuse_without_scale(self, name: str) -> None:
        colours = self.values[..., : self.channels]
        floating = np.issubdtype(colours.dtype, np.floating)
        finite = colours[np.isfinite(colours)] if floating else colours
        low, high = (finite.min(), finite.max()) if finite.size else (0, 0)
        if not floating or low < 0 or high > 1:
            raise BadFile(
                f"{name} needs a scale: {self.kind} from {low:g} to {high:g} state no range. Give "
                "--data-range BLACK,WHITE (data_range=(black, white))."
            )


def integers(values: NDArray, bits: int, signed: bool = False, **fields: object) -> StoredPixels:
    """Integers: unsigned ones below 32 bits state white by their depth."""
    white = float(2**bits - 1)
    stated = not signed and bits < 32
    kind = f"{bits}-bit {'signed ' * signed}integers"
    full = (0.0, white) if stated else None
    stored = StoredPixels(values, full=full, opaque=white, kind=kind)
    return replace(stored, **fields)  # type: ignore[arg-type]


def floats(values: NDArray, **fields: object) -> StoredPixels:
    """Floating-point numbers, which state no range."""
    kind = f"{8 * values.dtype.itemsize}-bit floats"
    return replace(StoredPixels(values, full=None, opaque=1, kind=kind), **fields)  # type: ignore[arg-type]


def _scaled(values: NDArray, black: float, white: float) -> NDArray[np.float32]:
    """float32 in [0, 1]."""
    exact = values.dtype.itemsize <= 2 or values.dtype == np.float32
    numbers: NDArray[Any] = values.astype(np.float32 if exact else np.float64)
    if black:
        numbers -= numbers.dtype.type(black)
    numbers /= numbers.dtype.type(white - black)
    if np.issubdtype(values.dtype, np.floating):
        numbers[~np.isfinite(values)] = 0
    return numbers.clip(0, 1).astype(np.float32)
