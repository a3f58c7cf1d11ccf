"""Options of reading images, checked once."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from imrep.errors import BadParameter, short_repr
from imrep.images.decode.open_image import MAX_PIXELS

RESAMPLING = ("bilinear", "bicubic")  # both antialiased


@dataclass(frozen=True)
class Reading:
    """How files become pixels; part of the key of every run.

    Args:
        over: Background colour of transparent pixels, in CSS notation.
        max_pixels: Greatest width × height that is decoded.
        data_range: The numbers of black and white in files that state no range: floats, signed
            integers, integers of 32 bits and more. None: floats within [0, 1] are read unchanged,
            and other such files are refused. It is never guessed from a file's own extremes.
            Files that state their range, as 8 and 16 bits do, ignore it.
        crop: Side of the central square over the image's short side, in (0, 1].
        resampling: Filter that resizes the square: one of `RESAMPLING`.

    Raises:
        BadParameter: `max_pixels` is below 1, `data_range` is not a pair of different finite
            numbers, or `crop` or `resampling` is another.
    """

    over: str = "white"
    max_pixels: int = MAX_PIXELS
    data_range: tuple[float, float] | None = None
    crop: float = 1.0
    resampling: str = "bilinear"

    def __post_init__(self) -> None:
        if isinstance(self.max_pixels, bool) or not isinstance(self.max_pixels, int | np.integer):
            raise BadParameter(
                f"images need max_pixels to be a whole number, got {short_repr(self.max_pixels)}."
            )
        if self.max_pixels < 1:
            raise BadParameter(f"images need max_pixels of at least 1, got {self.max_pixels}.")
        object.__setattr__(self, "max_pixels", int(self.max_pixels))
        if self.data_range is not None:
            object.__setattr__(self, "data_range", _pair(self.data_range))
        if not 0 < self.crop <= 1:
            raise BadParameter(f"images need a crop above 0 and up to 1, got {self.crop}.")
        if self.resampling not in RESAMPLING:
            raise BadParameter(
                f"images need resampling by {' or '.join(RESAMPLING)}, got {self.resampling!r}."
            )

    @property
    def keywords(self) -> dict[str, Any]:
        """The keyword arguments of `images.read`."""
        canvas = ("crop", "resampling")
        return {name: value for name, value in asdict(self).items() if name not in canvas}

    @property
    def canvas_keywords(self) -> dict[str, Any]:
        """The keyword arguments of `images.square` and `load_squares`."""
        return asdict(self)

    @property
    def key(self) -> list[object]:
        """The part of the key of a run or a cache, as JSON values."""
        parts = [self.over, self.max_pixels, self.data_range and list(self.data_range)]
        usual = (self.crop, self.resampling) == (1.0, "bilinear")
        return parts if usual else [*parts, self.crop, self.resampling]


def _pair(data_range: Any) -> tuple[float, float]:
    try:
        black, white = (float(number) for number in data_range)
    except (TypeError, ValueError) as error:
        raise BadParameter(_pair_needed(data_range)) from error
    if black == white or not (math.isfinite(black) and math.isfinite(white)):
        raise BadParameter(_pair_needed(data_range))
    return black, white


def _pair_needed(data_range: Any) -> str:
    return (
        "images need data_range to be two different numbers, black and white, "
        f"got {data_range!r}. Try data_range=(0, 255)."
    )


DEFAULT_READING = Reading()
