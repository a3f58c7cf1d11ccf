"""Which row of a table belongs to which image: five rules on their paths, never mixed."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from imrep.datasets import Item

Candidates = list[list[int]]  # the rows that a rule gives each image


@dataclass(frozen=True, eq=False)
class Matching:
    """The rows that one rule gives the images.

    Args:
        rule: Its number, 1 to 5.
        candidates: Rows of each image.
    """

    rule: int
    candidates: Candidates

    @cached_property
    def _images_of_row(self) -> Counter[int]:
        return Counter(row for rows in self.candidates for row in rows)

    def row(self, image: int) -> int | None:
        """The row that is this image's alone, or None."""
        rows = self.candidates[image]
        own = len(rows) == 1 and self._images_of_row[rows[0]] == 1
        return rows[0] if own else None

    def count(self, images: Iterable[int]) -> int:
        """How many of these images have a row of their own."""
        return sum(self.row(image) is not None for image in images)

    @property
    def rows(self) -> set[int]:
        """The rows that belong to an image."""
        return set(self._images_of_row)

    def ambiguous(self, image: int) -> tuple[list[int], list[int]] | None:
        """The rows of an image and the images of its row, where either are several."""
        rows = self.candidates[image]
        if not rows or self.row(image) is not None:
            return None
        images = [i for i, others in enumerate(self.candidates) if rows[0] in others]
        return rows, images


def match(items: Sequence[Item], images: Sequence[int], paths: Sequence[str]) -> Matching:
    """By the first rule under which each of the images has a row of its own, else the best one.

    1. The paths are equal. 2. They are the same file. 3. One ends in "/" and the other. 4. The last
    parts are equal. 5. So are these without suffix.

    Args:
        items: The images of the folder.
        images: Those that need a row, as positions in `items`.
        paths: A path for each row, each once.
    """
    best: Matching | None = None
    for rule, candidates in enumerate(_RULES, 1):
        matching = Matching(rule, candidates(items, paths))
        count = matching.count(images)
        if count == len(images):
            return matching
        if best is None or count > best.count(images):
            best = matching
    assert best is not None
    return best


def normalised(path: str) -> str:
    """With forward slashes, composed letters and without a leading "./"."""
    text = unicodedata.normalize("NFC", path.replace("\\", "/"))
    while text.startswith("./"):
        text = text[2:].lstrip("/")
    return text


def _equal(items: Sequence[Item], paths: Sequence[str]) -> Candidates:
    return _joined([normalised(item.path) for item in items], map(normalised, paths))


def _same_file(items: Sequence[Item], paths: Sequence[str]) -> Candidates:
    files = [None if item.file is None else str(item.file.resolve()) for item in items]
    if not any(files):
        return [[] for _ in items]
    return _joined(files, (_resolved(path) for path in paths))


def _ends_alike(items: Sequence[Item], paths: Sequence[str]) -> Candidates:
    rows = [normalised(path) for path in paths]
    by_path, by_end = _index(rows), defaultdict[str, list[int]](list)
    names = [normalised(item.path) for item in items]
    ends = set(names)
    for row, path in enumerate(rows):
        for end in _ends(path):
            if end in ends:
                by_end[end].append(row)
    return [
        sorted({*by_end.get(name, ()), *(r for end in _ends(name) for r in by_path.get(end, ()))})
        for name in names
    ]


def _same_name(items: Sequence[Item], paths: Sequence[str]) -> Candidates:
    return _joined([_name(item.path) for item in items], map(_name, paths))


def _same_stem(items: Sequence[Item], paths: Sequence[str]) -> Candidates:
    return _joined([_stem(item.path) for item in items], map(_stem, paths))


_RULES: tuple[Callable[[Sequence[Item], Sequence[str]], Candidates], ...] = (
    _equal,
    _same_file,
    _ends_alike,
    _same_name,
    _same_stem,
)


def _joined(images: Sequence[str | None], rows: Iterable[str]) -> Candidates:
    """The rows whose key is the image's."""
    index = _index(rows)
    return [[] if key is None else index.get(key, []) for key in images]


def _index(keys: Iterable[str]) -> dict[str, list[int]]:
    index = defaultdict[str, list[int]](list)
    for row, key in enumerate(keys):
        index[key].append(row)
    return dict(index)


def _ends(path: str) -> Iterator[str]:
    """What follows each slash."""
    _, slash, end = path.partition("/")
    while slash:
        yield end
        _, slash, end = end.partition("/")


def _resolved(path: str) -> str:
    try:
        return str(Path(path).resolve())
    except (OSError, ValueError, RuntimeError):  # too long, a null byte, circular links
        return ""


def _name(path: str) -> str:
    return PurePosixPath(normalised(path)).name


def _stem(path: str) -> str:
    name = PurePosixPath(_name(path))
    return name.name if name.suffix[1:].isdigit() else name.stem  # ".2" of "scan.2" is no suffix
