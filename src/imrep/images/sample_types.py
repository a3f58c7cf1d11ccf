"""The number type of an image's samples, and the numbers of black and white."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from imrep.errors import BadFile

_WHITE = {"uint8": 255.0, "uint16": 65535.0}  # of the types that imply it


@dataclass(frozen=True)
class Samples:
    """The type of a file's numbers, and their map to [0, 1].

    Attributes:
        kind: NumPy's name of the type: uint8, uint16, int16, uint32, float32 …
        black: The number that is 0 in `Original.pixels`.
        white: The number that is 1.
        stated: Whether the file's type, its values or the caller state them; otherwise they are the
            minimum and the maximum of the file, and the scaling is undone when it is written.
        inverted: Whether the file declares its smallest number white.
        missing: (h, w, c), the NaN and infinite numbers, zero elsewhere; None where all are finite.
    """

    kind: str = "uint8"
    black: float = 0.0
    white: float = 255.0
    stated: bool = True
    inverted: bool = False
    missing: NDArray | None = field(default=None, repr=False, compare=False)

    @property
    def bits(self) -> int:
        """Bits of a number."""
        return 8 * np.dtype(self.kind).itemsize

    @property
    def common(self) -> bool:
        """Whether these are the 8 or 16 bits that most formats hold."""
        return self.kind in _WHITE

    @property
    def words(self) -> str:
        """As a message states it: "8 bits", "float32 from 12.5 to 212.25"."""
        if self.common:
            return f"{self.bits} bits"
        return f"{self.kind} from {self.black:g} to {self.white:g}"

    def stored(self, values: NDArray) -> NDArray:
        """Numbers of this type for values in [0, 1]; values outside extrapolate within the type."""
        numbers = values.astype(np.float64) * (self.white - self.black) + self.black
        if np.dtype(self.kind).kind == "f":
            return numbers.astype(self.kind)
        limits, numbers = np.iinfo(self.kind), np.rint(numbers)
        # The maximum of 64 bits rounds up to a number outside the type, which a cast wraps.
        below = numbers < float(limits.max)
        cast = np.where(below, numbers.clip(limits.min), limits.min).astype(self.kind)
        return np.where(below, cast, np.array(limits.max, self.kind))


UINT8 = Samples()
UINT16 = Samples("uint16", 0.0, 65535.0)
BY_BITS = {8: UINT8, 16: UINT16}


def scaled(
    numbers: NDArray, data_range: tuple[float, float] | None, name: str
) -> tuple[NDArray, Samples]:
    """Numbers (h, w, c) of any type as values in [0, 1], and their type and scale.

    uint8 and uint16 are returned unchanged. Other types are mapped to [0, 1] in double precision:
    by `data_range`, which they may exceed; unchanged where floats lie within [0, 1]; else by their
    minimum and maximum. Non-finite numbers take the nearest finite one.

    Raises:
        BadFile: No number is finite.
    """
    kind = numbers.dtype.name
    if kind in _WHITE:
        return numbers, BY_BITS[8 * numbers.itemsize]
    finite = np.isfinite(numbers)
    if not finite.any():
        raise BadFile(f"{name} needs finite numbers, got NaN or infinity only. Export it again.")
    values = numbers.astype(np.float64)
    missing = None if finite.all() else np.where(finite, 0, values)
    values = values if missing is None else _filled(values, finite)
    low, high = float(values.min()), float(values.max())
    black, white, stated = _range(low, high, data_range, numbers.dtype.kind == "f")
    return (values - black) / (white - black), Samples(kind, black, white, stated, missing=missing)


def _range(
    low: float, high: float, data_range: tuple[float, float] | None, floating: bool
) -> tuple[float, float, bool]:
    if data_range is not None:
        return *data_range, True
    if floating and low >= 0 and high <= 1:
        return 0.0, 1.0, True
    return low, high if high > low else max(low + 1, float(np.nextafter(low, np.inf))), False


def _filled(values: NDArray, finite: NDArray) -> NDArray:
    """Non-finite numbers replaced by the nearest finite one of the channel, else by the mean."""
    from scipy.ndimage import distance_transform_edt

    values = values.copy()
    for channel in range(values.shape[2]):
        valid = finite[..., channel]
        if valid.all():
            continue
        if not valid.any():
            values[..., channel] = values[finite].mean()
            continue
        rows, columns = distance_transform_edt(~valid, return_distances=False, return_indices=True)
        values[..., channel] = values[rows, columns, channel]
    return values
