"""Cells of a table as numbers and as sets of labels."""

import math
import re
from collections.abc import Sequence
from decimal import Decimal
from numbers import Real

from imrep.datasets.folder_labels import composed
from imrep.datasets.tables.columns import MISSING, cell_text
from imrep.datasets.target import SEPARATOR
from imrep.errors import short_repr

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
# A number with a unit or a currency, with a comma, or with thousands set apart.
_NUMERIC = re.compile(r"[^\w\s]?\s?[-+−]?[^\w\s]?\d[\d.,'’\s]*([eE][-+]?\d+)?\s?\D{0,5}")
_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+", re.ASCII)
_INFINITE = re.compile(r"[-+]?inf(inity)?", re.IGNORECASE)


class NoNumber(ValueError):
    """A cell that is no finite number; the message is what to do about it."""


def is_missing(cell: object) -> bool:
    """Whether a cell is empty, or says so as spreadsheets and pandas do."""
    text = cell_text(cell).strip()
    return not text or text in MISSING


def number(cell: object) -> float | None:
    """A cell as a finite number, None for a missing one.

    Raises:
        NoNumber: It is something else: infinite, with a unit, with a decimal comma, a date …
    """
    if is_missing(cell):
        return None
    text = cell_text(cell).strip()
    if isinstance(cell, bool):
        raise NoNumber("Take it as a class.")
    if isinstance(cell, Real | Decimal):
        value = _real(cell)
    elif _NUMBER.fullmatch(text):
        value = float(text)
    else:
        raise NoNumber(_remedy(text))
    if not math.isfinite(value):
        raise NoNumber("Write a finite number, or leave the cell empty.")
    return value


def looks_numeric(cell: object) -> bool:
    """Whether a cell is a number, or would be one without its unit, currency or commas."""
    if isinstance(cell, bool):
        return False
    if isinstance(cell, Real | Decimal):
        return True
    text = cell_text(cell).strip()
    return bool(_NUMBER.fullmatch(text) or _NUMERIC.fullmatch(text))


def has_fraction(cell: object) -> bool:
    """Whether a cell is a number that is written with a point."""
    text = cell_text(cell).strip()
    return "." in text and bool(_NUMBER.fullmatch(text))


def labels(cell: object, names: Sequence[str] | None = None) -> tuple[str, ...] | None:
    """The labels in a cell, sorted; none of them for an empty cell, None for a missing one.

    Args:
        cell: Text in which `|` separates them, or a list.
        names: Names of numbered labels; -1 stands for none.
    """
    if isinstance(cell, list | tuple | set | frozenset):
        parts = [_named(part, names) for part in cell]
    else:
        text = cell_text(cell).strip()
        if text in MISSING:
            return None
        parts = text.split(SEPARATOR) if isinstance(cell, str) else [_named(cell, names)]
    return tuple(sorted({composed(part.strip()) for part in parts if part.strip()}))


def _named(part: object, names: Sequence[str] | None) -> str:
    if names is not None and isinstance(part, int):
        return str(names[part]) if 0 <= part < len(names) else ""
    return cell_text(part)


def _real(cell: Real | Decimal) -> float:
    try:
        return float(cell)
    except OverflowError:  # an integer of over 308 digits
        return math.inf


def _remedy(text: str) -> str:
    """What to do about a cell that is no number."""
    if _INFINITE.fullmatch(text):
        return "Write a finite number, or leave the cell empty."
    if _DECIMAL_COMMA.fullmatch(text):
        return f"Write {text.replace(',', '.')} with a point."
    if _NUMERIC.fullmatch(text):
        numbers = re.findall(r"-?\d+(?:\.\d+)?", text, re.ASCII)
        signed = "-" in "".join(numbers) or not re.search("[-−]", text)
        alone = len(numbers) == 1 and signed and "," not in text
        return f"Write {numbers[0]} alone." if alone else "Write digits and a point alone."
    return "Correct it, or leave the cell empty."


def quoted(cell: object) -> str:
    """A cell in a message."""
    return short_repr(cell_text(cell) if isinstance(cell, str | bytes) else cell)
