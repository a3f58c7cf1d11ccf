"""Numbers and names in words, as the report writes them."""

import math
from collections.abc import Sequence

from imrep.plural import several

_MAX_NAMES = 4  # in a list; of a longer one the first three


def listed(names: Sequence[str]) -> str:
    """a; a and b; a, b and c; of more than four the first three, and how many others."""
    if len(names) > _MAX_NAMES:
        return f"{', '.join(names[:3])} and {several(len(names) - 3, 'other')}"
    return enumerated(names)


def enumerated(names: Sequence[str]) -> str:
    """All of them: a; a and b; a, b and c."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def percent(share: float) -> str:
    """Per cent, rounded: 0.842 is 84."""
    return str(round(100 * share))


def percent_range(low: float, high: float) -> str:
    """Two of them: 77-91; -9 to 21 where the lower one is negative."""
    joint = " to " if round(100 * low) < 0 else "-"
    return f"{percent(low)}{joint}{percent(high)}"


def percent_at_least(share: float) -> str:
    """Per cent, rounded down, so that "at least" is true; 0.29 is 29 despite its binary form."""
    return str(math.floor(100 * share + 1e-9))


def points(share: float) -> str:
    """Percentage points, rounded to whole ones where there is at least one."""
    number = f"{100 * share:.0f}" if share >= 0.0095 or share <= 0 else f"{100 * share:.1g}"
    return f"{number} {plural_points(number)}"


def plural_points(number: str) -> str:
    """The word after a number of points."""
    return "point" if number == "1" else "points"


def kilobytes(size: float) -> str:
    """Bytes as KB of 1,000 bytes, two digits or all before the point: 7.1 KB."""
    return f"{two_digits(size / 1000)} KB"


def cost_words(ms: float, size: float) -> str:
    """(0.34 ms and 7.1 KB an image); of an infinite time, that nobody knows it."""
    if math.isinf(ms):
        return "(cost not known)"
    return f"({two_digits(ms)} ms and {kilobytes(size)} an image)"


def costs_least(ms: float) -> str:
    """What the pick of several is; without a time it is the smallest."""
    return "is smallest" if math.isinf(ms) else "costs least"


def amount(value: float) -> str:
    """A number of any unit in two significant digits, or all before the point: 0.083, 14, 1,953."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    rounded = float(f"{value:.2g}")  # 9.96 is 10, not 10.0
    decimals = max(0, 1 - math.floor(math.log10(abs(rounded))))
    return f"{value:,.{decimals}f}" if decimals < 7 else f"{value:.1e}"


def two_digits(value: float) -> str:
    """Two digits, or all before the point."""
    return f"{value:.2g}" if value < 100 else f"{value:.0f}"
