"""What a comparison is asked to do."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imrep import checks
from imrep.datasets import Dataset
from imrep.errors import BadParameter, short_repr
from imrep.images import DEFAULT_READING, Reading

_WHO = "compare"
_LEAST = 8  # pixels a side: below that no representation has anything to look at


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a comparison is asked to do.

    Args:
        data: What `datasets.find` understands; None for the built-in photographs; or a data set.
        specs: Representations, as specs or objects; None for every one that can run here.
        vectors: Vectors made elsewhere, by the name that tables give them: (paths, (n, d)).
        out: Folder that is written.
        size: Side of the squares that the images are read at, in pixels.
        sizes: Further sides, for the curve of accuracy against size.
        seed: Of folds, draws and noise.
        margin: Points of accuracy within which cost decides.
        groups: A csv with path,group, or the group of each path: images that never part.
        same_object: The same, of images whose members should find each other.
        most: At most so many images, classes in proportion.
        threads: Threads that compute.
        readers: Threads that read and decode files.
        device: Where to encode, as torch names it.
        reading: How files become pixels.

    Raises:
        BadParameter: A size or a number of images is too small.
    """

    data: str | tuple[str, ...] | Dataset | None = None
    specs: tuple[object, ...] | None = None
    vectors: Mapping[str, tuple[Sequence[str | Path], object]] | None = None
    out: Path = Path("report")
    size: int = 64
    sizes: tuple[int, ...] = ()
    seed: int = 0
    margin: float = 2.0
    groups: Path | Mapping[str, str] | None = None
    same_object: Path | Mapping[str, str] | None = None
    most: int | None = None
    threads: int = 1
    readers: int = os.cpu_count() or 1
    device: str = "cpu"
    reading: Reading = DEFAULT_READING

    def __post_init__(self) -> None:
        if not isinstance(self.sizes, tuple):
            raise BadParameter(f"compare needs several sizes, got {self.sizes!r}. Try (32, 64).")
        for side in (self.size, *self.sizes):
            _whole(side, "sizes")
            if side < _LEAST:
                raise BadParameter(f"compare needs sizes of at least {_LEAST} pixels, got {side}.")
        if self.most is not None:
            _whole(self.most, "most")
            if self.most < 2:
                raise BadParameter(f"compare needs at least 2 images, got {self.most}.")
        checks.between(self.margin, 0, 100, _WHO, "margin")
        checks.whole(self.seed, 0, 2**32 - 1, _WHO, "seed")
        checks.whole(self.threads, 1, 256, _WHO, "threads")
        for name in ("groups", "same_object"):
            if not isinstance(given := getattr(self, name), Mapping | Path | None):
                raise BadParameter(
                    f"compare needs {name} to be a csv file or the group of each path, got "
                    f"{short_repr(given)}. Try {{path: group}}."
                )
        _check_vectors(self.vectors)


def _whole(number: object, what: str) -> None:
    if isinstance(number, bool) or not isinstance(number, int | np.integer):
        raise BadParameter(
            f"compare needs {what} in whole numbers, got {short_repr(number)}. Try 64."
        )


def _check_vectors(given: object) -> None:
    """Refuse what is no name with paths and an array."""
    remedy = "Give {name: (paths, array)}."
    if not isinstance(given, Mapping | None):
        raise BadParameter(f"compare needs vectors by name, got {short_repr(given)}. {remedy}")
    for name, pair in (given or {}).items():
        if not (isinstance(name, str) and isinstance(pair, tuple) and len(pair) == 2):
            raise BadParameter(f"compare needs paths with the vectors {name!r}. {remedy}")
        paths = pair[0]
        listed = isinstance(paths, Sequence | np.ndarray) and not isinstance(paths, str)
        if not listed or not all(isinstance(path, str | Path) for path in paths):
            raise BadParameter(f"compare needs paths first in the vectors {name!r}. {remedy}")
