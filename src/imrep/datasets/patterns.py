"""Patterns of file names: braces as shells and WebDataset write them, and the wildcards of glob."""

import glob
import os
import re
from itertools import product

from imrep.errors import BadData

_MAX_NAMES = 1_000_000  # that braces may stand for
_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")


def has_braces(text: str) -> bool:
    """Whether a name has braces that stand for several: a range of numbers or a list."""
    return any(_is_list(inside) for inside in _BRACES.findall(text))


def expanded(text: str) -> list[str]:
    """The names that braces stand for: `{0000..0009}` keeps the zeros, `{a,b}` is a list.

    Raises:
        BadData: They are over a million.

    Example:
        >>> expanded("{train,val}-{08..10}.tar")[:4]
        ['train-08.tar', 'train-09.tar', 'train-10.tar', 'val-08.tar']
    """
    parts: list[list[str]] = []
    count, end = 1, 0
    for braces in _BRACES.finditer(text):
        if not _is_list(braces[1]):
            continue
        choices = _choices(braces[1])
        parts += [[text[end : braces.start()]], choices]
        count, end = count * len(choices), braces.end()
        if count > _MAX_NAMES:
            raise BadData(f"DATA needs at most {_MAX_NAMES:,} names in its braces, got {text}.")
    return ["".join(chosen) for chosen in product(*parts, [text[end:]])]


def matches(pattern: str) -> list[str]:
    """The files that match a pattern, sorted by name within each that its braces stand for.

    A name without wildcards is itself, whether there is such a file or not.
    """
    names = expanded(pattern) if has_braces(pattern) else [pattern]
    files = []
    for name in names:
        wild = glob.has_magic(name) and not os.path.lexists(name)
        files += sorted(glob.glob(name, recursive=True)) if wild else [name]  # noqa: PTH207  # Path knows no absolute ones
    return files


def _is_list(inside: str) -> bool:
    return "," in inside or _RANGE.fullmatch(inside) is not None


def _choices(inside: str) -> list[str]:
    if (ends := _RANGE.fullmatch(inside)) is None:
        return inside.split(",")
    first, last = int(ends[1]), int(ends[2])
    if abs(last - first) >= _MAX_NAMES:
        raise BadData(f"DATA needs at most {_MAX_NAMES:,} names in its braces, got {inside}.")
    padded = any(len(end) > 1 and end.startswith("0") for end in ends.groups())
    width = max(map(len, ends.groups())) if padded else 0
    step = 1 if last >= first else -1
    return [f"{number:0{width}}" for number in range(first, last + step, step)]
