"""What a comparison is asked to do."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from imrep.datasets import Dataset
from imrep.errors import BadParameter
from imrep.images import DEFAULT_READING, Reading

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

    data: str | Dataset | None = None
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
        if (least := min(self.size, *self.sizes, self.size)) < _LEAST:
            raise BadParameter(f"compare needs sizes of at least {_LEAST} pixels, got {least}.")
        if self.most is not None and self.most < 2:
            raise BadParameter(f"compare needs at least 2 images, got {self.most}.")
