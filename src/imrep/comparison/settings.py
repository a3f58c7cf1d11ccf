"""What is compared, and how."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imrep import checks
from imrep.datasets import Dataset, Request
from imrep.datasets.target import ANY
from imrep.errors import BadParameter, short_repr
from imrep.images import DEFAULT_READING, Reading

_CALLER = "compare"
_MIN_SIDE = 8  # pixels: smaller images hold too little for any representation

Groups = Path | Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Images and representations to compare.

    Args:
        data: What `datasets.find` understands; None for the built-in photographs; or a data set.
        specs: Representations, as specs or objects; None for every one that can run here.
        vectors: Vectors made elsewhere, by the name that tables use: a file, an array (n, d),
            {path: vector} or (paths, array).
        ms: Milliseconds an image of some of them, as their maker states it.
        groups: A csv with path,group, or the group of each path: images that share a fold.
        same_object: Likewise: images whose members should retrieve each other.
        max_images: Largest number of images, classes in proportion.
        seed: Of the sample that `max_images` takes.
        target: Which column holds what is predicted, and what it is: a class, a number or labels.

    Raises:
        BadParameter: An argument has the wrong type, or the number of images is too small.
    """

    data: str | tuple[str, ...] | Dataset | None = None
    specs: tuple[object, ...] | None = None
    vectors: Mapping[str, object] | None = None
    ms: Mapping[str, float] | None = None
    groups: Groups | None = None
    same_object: Groups | None = None
    max_images: int | None = None
    seed: int = 0
    target: Request = ANY

    def __post_init__(self) -> None:
        if self.max_images is not None:
            _check_integer(self.max_images, "max_images")
            if self.max_images < 2:
                raise BadParameter(f"compare needs at least 2 images, got {self.max_images}.")
        for name in ("groups", "same_object"):
            if not isinstance(value := getattr(self, name), Mapping | Path | None):
                raise BadParameter(
                    f"compare needs {name} to be a csv file or the group of each path, got "
                    f"{short_repr(value)}. Try {{path: group}}."
                )

    @property
    def command_data(self) -> str | None:
        """DATA as it was typed on the command line; None where no command can repeat it."""
        # None is the built-in set; "-" is a list of paths read from standard input
        return self.data if isinstance(self.data, str) and self.data != "-" else None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the comparison is made.

    Args:
        out: Folder for the results.
        size: Side in pixels of the squares that the images are read at.
        sizes: Further sides, for the curve of accuracy against size.
        seed: Of folds, draws and noise.
        margin: Percentage points of accuracy within which cost decides.
        cues: Whether the images are changed to see what their classes hang on.
        log: Whether numbers are compared by their logarithms, so by their ratios.
        threads: Threads that encode, once the cost of an image has been measured on one.
        readers: Threads that read and decode files.
        device: Where to encode, as torch names it.
        reading: How files become pixels.
        save: Folder in which a model is saved; None for none.
        save_which: Its spec or "together"; "" for the recommended one.

    Raises:
        BadParameter: A value is out of its range.
    """

    out: Path = Path("report")
    size: int = 64
    sizes: tuple[int, ...] = ()
    seed: int = 0
    margin: float = 2.0
    cues: bool = True
    log: bool = False
    threads: int = os.cpu_count() or 1
    readers: int = os.cpu_count() or 1
    device: str = "cpu"
    reading: Reading = DEFAULT_READING
    save: Path | None = None
    save_which: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.sizes, tuple):
            raise BadParameter(f"compare needs several sizes, got {self.sizes!r}. Try (32, 64).")
        for side in (self.size, *self.sizes):
            _check_integer(side, "sizes")
            if side < _MIN_SIDE:
                raise BadParameter(
                    f"compare needs sizes of at least {_MIN_SIDE} pixels, got {side}."
                )
        checks.between(self.margin, 0, 100, _CALLER, "margin")
        checks.integer(self.seed, 0, 2**32 - 1, _CALLER, "seed")
        checks.integer(self.threads, 1, 256, _CALLER, "threads")
        if self.save is not None and self.save.resolve() == self.out.resolve():
            raise BadParameter(
                f"compare needs another folder for the model than {self.out}, its report's. "
                f"Try {self.out / 'model'}."
            )


def _check_integer(number: object, name: str) -> None:
    if isinstance(number, bool) or not isinstance(number, int | np.integer):
        raise BadParameter(
            f"compare needs {name} in whole numbers, got {short_repr(number)}. Try 64."
        )
