"""The classes of masks: names, and the numbers or colours that stand for them in the files."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imrep.datasets.masks.mask_file import Stored, colour_text, packed
from imrep.datasets.tables import columns
from imrep.datasets.tables.columns import Table
from imrep.errors import BadData

UNLABELLED = -1  # class of pixels that do not count
FILES = ("classes.csv", "class_dict.csv", "classes.txt", "codes.txt", "label_colors.txt")
_VOID = frozenset({"void", "unlabelled", "unlabeled", "ignore", "ignored"})  # names that mean none
_IGNORED = 255  # a number that means no class where it is none
_MAX_CLASSES = 1024
_NAMES, _IDS = ("name", "class", "classname", "label"), ("id", "classid", "index", "trainid")
_CHANNELS = (("r", "red"), ("g", "green"), ("b", "blue"))


@dataclass(frozen=True)
class Classes:
    """The classes of a data set, in the order of a network's outputs.

    Attributes:
        names: Of each.
        ids: The number of each in masks.
        colours: The packed colour of each in masks and pictures; empty where they have none.
        where: The file that lists them; empty where none does.
    """

    names: tuple[str, ...]
    ids: tuple[int, ...]
    colours: tuple[int, ...] = ()
    where: str = ""

    def __len__(self) -> int:
        return len(self.names)

    @property
    def rgb(self) -> tuple[tuple[int, int, int], ...]:
        """The colours as red, green and blue."""
        return tuple((c // 65536, c // 256 % 256, c % 256) for c in self.colours)

    def of(self, values: NDArray[np.int64], stored: Stored, name: str) -> NDArray[np.int64]:
        """The class of each of some distinct values of a mask, -1 for none.

        Args:
            values: Ascending.
            stored: The mask that they are of.
            name: Its name in messages.

        Raises:
            BadData: A value stands for no class.
        """
        keys, table = values, self.ids
        if stored.kind == "colours":
            table = self.colours
            if not table:
                raise BadData(
                    f"{name} needs the classes of its colours, got {colour_text(values[0])} "
                    "without any. Write a classes.csv with name,r,g,b beside the folder of masks."
                )
        elif stored.kind == "palette" and self._by_colour(values, stored):
            keys, table = np.array([stored.palette[v] for v in values]), self.colours
        index = {key: -1 if self._is_void(i) else i for i, key in enumerate(table)}
        unknown = [k for k in keys.tolist() if k not in index and not self._ignored(k, stored)]
        if unknown:
            raise BadData(self._refusal(unknown, stored, name))
        return np.array([index.get(key, UNLABELLED) for key in keys.tolist()], np.int64)

    def _by_colour(self, values: NDArray[np.int64], stored: Stored) -> bool:
        """Whether the palette's colours of all these indices are those of classes."""
        colours = set(self.colours)
        return all(v < len(stored.palette) and stored.palette[v] in colours for v in values)

    def _is_void(self, i: int) -> bool:
        return self.names[i].strip().casefold() in _VOID

    def _ignored(self, key: int, stored: Stored) -> bool:
        return key == _IGNORED and stored.kind != "colours"

    def _refusal(self, unknown: Sequence[int], stored: Stored, name: str) -> str:
        listed = f"of {self.where}" if self.where else "of the other masks"
        if stored.kind == "colours":
            return (
                f"{name} needs the colours {listed}, got {colour_text(unknown[0])}. "
                "Add a line for it, or save the mask without smoothing."
            )
        value = f"{unknown[0]}"
        if stored.kind == "palette" and unknown[0] < len(stored.palette):
            value = f"index {unknown[0]} of its palette, {colour_text(stored.palette[unknown[0]])}"
        low, high = min(self.ids), max(self.ids)
        return (
            f"{name} needs the classes {listed}, {low} to {high}, got {value}. "
            "Add a line for it, or correct the mask."
        )


def listed(data: bytes, where: str) -> Classes:
    """The classes that a file lists.

    A csv has the columns name (or class) and, as wanted, id and r,g,b; without id, the first class
    is 0. A text file holds a name in each line, or as CamVid's, "red green blue name".

    Raises:
        BadData: Naming the line.
    """
    if where.lower().endswith(".txt"):
        return _of_text(columns.decoded(data, where)[0], where)
    table = columns.read(data, where)
    name = columns.needed(table, _NAMES)
    identity, _ = columns.pick(table.names, _IDS)
    picked = [columns.pick(table.names, channel)[0] for channel in _CHANNELS]
    rgb = [index for index in picked if index is not None]
    names, ids, colours = [], [], []
    for row, cells in enumerate(table.rows):
        names.append(str(_cell(cells, name, table, row)).strip())
        ids.append(row if identity is None else _number(cells, identity, table, row, 65535))
        if len(rgb) == len(_CHANNELS):
            red, green, blue = (_number(cells, index, table, row, 255) for index in rgb)
            colours.append(packed((red, green, blue)))
    return _checked(Classes(tuple(names), tuple(ids), tuple(colours), where), table.lines)


def numbered(values: Sequence[int], name: str) -> Classes:
    """Classes from the numbers that occur in masks: 0 to their maximum, 255 for no class.

    Where 0 and 255 are all there are, they are two classes.

    Args:
        values: That occur in any mask.
        name: Of a mask with the largest, in messages.

    Raises:
        BadData: One is too large to be a class.
    """
    if set(values) <= {0, _IGNORED}:
        return Classes(("background", "foreground"), (0, _IGNORED))
    largest = max(value for value in values if value != _IGNORED)
    if largest >= _MAX_CLASSES:
        raise BadData(
            f"{name} needs classes from 0 to {_MAX_CLASSES - 1}, got {largest}. "
            "Write a classes.csv with id,name beside the folder of masks."
        )
    ids = tuple(range(largest + 1))
    return Classes(tuple(map(str, ids)), ids)


def _of_text(text: str, where: str) -> Classes:
    lines = [(number, line.split()) for number, line in enumerate(text.splitlines(), 1)]
    lines = [(number, words) for number, words in lines if words]
    names, colours = [], []
    for _, words in lines:
        numbers = [word for word in words[:3] if word.isdigit() and int(word) < 256]
        if len(words) > 3 and len(numbers) == 3:
            red, green, blue = map(int, numbers)
            colours.append(packed((red, green, blue)))
            words = words[3:]
        names.append(" ".join(words))
    if colours and len(colours) < len(names):
        raise BadData(f"{where} needs a colour in every line or in none, got both. Correct it.")
    own = Classes(tuple(names), tuple(range(len(names))), tuple(colours), where)
    return _checked(own, [number for number, _ in lines])


def _checked(classes: Classes, lines: Sequence[int]) -> Classes:
    if not 1 <= len(classes) <= _MAX_CLASSES:
        raise BadData(
            f"{classes.where} needs 1 to {_MAX_CLASSES} classes, got {len(classes)}. Add lines."
        )
    colours = [colour_text(colour) for colour in classes.colours]
    for what, texts in (
        ("name", [*map(repr, classes.names)]), ("id", [*map(str, classes.ids)]), ("colour", colours)
    ):  # fmt: skip
        first: dict[str, int] = {}
        for row, text in enumerate(texts):
            if text in first:
                raise BadData(
                    f"{classes.where} needs another {what} in each line, got {text} in lines "
                    f"{lines[first[text]]} and {lines[row]}. Correct one."
                )
            first[text] = row
    return classes


def _cell(cells: Sequence[object], index: int, table: Table, row: int) -> object:
    value = cells[index] if index < len(cells) else None
    if value is None or not str(value).strip():
        raise BadData(
            f"{table.where} needs a {table.names[index]} in {table.position(row)}, got none. "
            "Write it there."
        )
    return value


def _number(cells: Sequence[object], index: int, table: Table, row: int, largest: int) -> int:
    text = str(_cell(cells, index, table, row)).strip()
    if not text.isdigit() or int(text) > largest:
        raise BadData(
            f"{table.where} needs {table.names[index]} from 0 to {largest} in "
            f"{table.position(row)}, got {text!r}. Correct it."
        )
    return int(text)
