"""What every form of captions is read as."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from imrep.datasets.sources import Source
from imrep.datasets.tables.path_resolution import Names

_PROBED = 100  # paths by which the folder of the pictures is recognised


@dataclass(frozen=True)
class Row:
    """A caption of an image.

    Args:
        path: Of the image in the data set.
        raw: The same in the file system.
        source: Its bytes.
        caption: As it is written; empty for none.
        position: Where it is written, for a message.
    """

    path: str
    raw: str
    source: Source
    caption: str
    position: str = ""


@dataclass(frozen=True)
class Rows:
    """Captions in their order.

    Args:
        where: Name of the file in messages.
        rows: The captions.
        notes: Sentences for the user.
    """

    where: str
    rows: Sequence[Row]
    notes: tuple[str, ...] = ()


def located(paths: Iterable[str], roots: Sequence[Path], where: str) -> Mapping[str, Row]:
    """A row without a caption for every path of a table.

    Args:
        paths: As they are written.
        roots: Folders that they may be relative to; also to one within, that holds nearly all.
        where: The table's name in messages.
    """
    distinct = list(dict.fromkeys(paths))
    for root in roots:
        names = Names({}, root)
        probed = distinct[:_PROBED]
        if any(names.resolve(path) is not None for path in probed):
            return {path: _row(path, names, "", where) for path in distinct}
        if base := names.below(probed, ""):
            return {path: _row(path, names, base, where) for path in distinct}
    names = Names({}, roots[0])
    return {path: _row(path, names, "", where) for path in distinct}


def _row(path: str, names: Names, base: str, where: str) -> Row:
    name = names.resolve(path, base)
    if name is None:
        return Row(path, path, names.refusal(path, base, where), "")
    return Row(name, name, names.outside[name], "")
