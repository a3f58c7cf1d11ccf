"""What a representation is trained from where images and classes will not do."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor

from imrep.datasets import Annotations, Item


@runtime_checkable
class Pixels(Protocol):
    """Images by row; what holds them is copied to the processes that load batches."""

    @property
    def side(self) -> int | None:
        """Of the squares that files are read at, in pixels; None for images at their own size."""

    def read(self, row: int) -> Tensor:
        """(3, h, w), uint8."""


@runtime_checkable
class TrainingImages(Protocol):
    """The images of a training run by row: their files, their pixels, their annotations."""

    @property
    def items(self) -> tuple[Item, ...]:
        """The files."""

    @property
    def pixels(self) -> Pixels:
        """The squares of the run's size, or images at their own."""

    @property
    def annotations(self) -> Annotations | None:
        """What people have added to them."""


@dataclass(frozen=True)
class Change:
    """The random change of an image in a step.

    Args:
        names: Of the augmentations, as in `Recipe.augment`.
        side: Height and width of the result in pixels.
        strength: From 0, which leaves only the crop, to 1.
    """

    names: tuple[str, ...]
    side: int
    strength: float = 1.0


@runtime_checkable
class Examples(Protocol):
    """Turns a row of the training images into one image's part of a batch.

    The tensors of a batch's images are stacked under their names; `image`, of uint8, becomes float
    in [0, 1]. It is copied to the processes that load batches, and so holds no network.
    """

    def random(self, row: int, change: Change) -> dict[str, Tensor]:
        """Changed at random, by torch's generator of the CPU, which is seeded before."""

    def plain(self, row: int, side: int) -> dict[str, Tensor]:
        """The central square, unchanged."""


@dataclass(frozen=True)
class Table:
    """Numbers of an evaluation in rows.

    Args:
        title: What they are.
        first: Title of the column of names.
        columns: Titles of the others.
        rows: (name, numbers); None where there is nothing to measure.
    """

    title: str
    first: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float | None, ...]], ...]


@dataclass(frozen=True)
class Evaluation:
    """What a trained representation does on held-out images, beside its loss.

    Args:
        numbers: By their names.
        tables: More of them.
    """

    numbers: dict[str, float]
    tables: tuple[Table, ...] = ()
