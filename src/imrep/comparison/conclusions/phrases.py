"""Numbers and names in words, as the report writes them."""

import math
from collections.abc import Sequence

from imrep.plural import several

_NAMED = 4  # names that are written out; of more, three are


def listed(names: Sequence[str]) -> str:
    """a; a and b; a, b and c; of more than four the first three, and how many others."""
    if len(names) > _NAMED:
        return f"{', '.join(names[:3])} and {several(len(names) - 3, 'other')}"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def whole(share: float) -> str:
    """Per cent, rounded: 0.842 is 84."""
    return f"{100 * share:.0f}"


def down(share: float) -> str:
    """Rounded down, so that "at least" is true; 0.29 is 29 in spite of its binary form."""
    return str(math.floor(100 * share + 1e-9))


def points(share: float) -> str:
    """Points of a hundred, whole ones unless there is not even one."""
    number = f"{100 * share:.0f}" if share >= 0.0095 or share <= 0 else f"{100 * share:.1g}"
    return f"{number} {plural_points(number)}"


def plural_points(number: str) -> str:
    """The word after a number of points."""
    return "point" if number == "1" else "points"


def kilobytes(size: float) -> str:
    """Bytes as KB of 1,000, two digits or all before the point: 7.1 KB."""
    return f"{number(size / 1000)} KB"


def cost_words(ms: float, size: float) -> str:
    """(0.34 ms and 7.1 KB an image); without the time of vectors that were made elsewhere."""
    return f"({f'{number(ms)} ms and ' if ms > 0 else ''}{kilobytes(size)} an image)"


def number(value: float) -> str:
    """Two digits, or all that stand before the point."""
    return f"{value:.2g}" if value < 100 else f"{value:.0f}"
