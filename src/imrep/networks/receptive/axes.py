"""The pixels that the units of a map read, along one axis and both."""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """The pixels that unit i of a map reads along one axis: from first + i·stride, size of them.

    Args:
        size: Pixels, those beyond the border of the image included.
        stride: Pixels between the fields of neighbours.
        first: First pixel of unit 0, negative where it lies in the padding.
    """

    size: float = 1
    stride: float = 1
    first: float = 0

    @property
    def start(self) -> float:
        """Centre of unit 0's field, in pixels whose centres are whole numbers."""
        return self.first + (self.size - 1) / 2

    def windowed(self, kernel: int, stride: int, padding: int, dilation: int) -> "Axis":
        """Behind a convolution or a pooling."""
        size = self.size + (kernel - 1) * dilation * self.stride
        return Axis(size, self.stride * stride, self.first - padding * self.stride)

    def enlarged(self, factor: float, reach: float = 1, shift: float = 0) -> "Axis":
        """Behind an enlargement, each of whose cells reads `reach` neighbours; at most these."""
        first = math.floor(self.first + shift * self.stride)
        size = math.ceil(self.size + reach * self.stride)
        return Axis(size, self.stride / factor, first)

    def united(self, other: "Axis") -> "Axis | None":
        """The smallest field that covers both; None where their strides differ."""
        if not math.isclose(self.stride, other.stride):
            return None
        first = min(self.first, other.first)
        last = max(self.first + self.size, other.first + other.size)
        return Axis(last - first, self.stride, first)


@dataclass(frozen=True)
class Field:
    """The receptive field of a map's units; no axes where each unit reads the whole image."""

    rows: Axis | None = None
    columns: Axis | None = None

    @property
    def everywhere(self) -> bool:
        """Whether every unit reads the whole image."""
        return self.rows is None or self.columns is None


GLOBAL = Field()


@dataclass(frozen=True)
class Traced:
    """A tensor's field, and which of its dimensions are rows and columns."""

    field: Field
    rows: int = 2
    columns: int = 3

    @property
    def axes(self) -> tuple[int, int]:
        return self.rows, self.columns

    def each(self, change: Callable[[Axis, int], Axis]) -> "Traced":
        """With both axes changed; `change` gets 0 for rows and 1 for columns."""
        if self.field.rows is None or self.field.columns is None:
            return self
        field = Field(change(self.field.rows, 0), change(self.field.columns, 1))
        return Traced(field, self.rows, self.columns)

    def moved(self, axis: Callable[[int], int]) -> "Traced":
        """With its dimensions elsewhere."""
        return Traced(self.field, axis(self.rows), axis(self.columns))


ALL = Traced(GLOBAL)
