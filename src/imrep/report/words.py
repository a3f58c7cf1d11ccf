"""Numbers as text: few digits, their unit, no exponents."""

import math

from imrep.plural import several as several  # for the page's template

_NONE = "–"


def percent(share: float | None) -> str:
    """0.842 -> 84%, in whole numbers: the intervals are several points wide."""
    return _NONE if share is None else f"{round(100 * share)}%".replace("-", "−")


def interval(lo: float | None, hi: float | None) -> str:
    """0.77, 0.91 -> 77–91%; −9 to 21% where the lower end is negative."""
    if lo is None or hi is None:
        return _NONE
    low, high = round(100 * lo), round(100 * hi)
    return f"{low} to {high}%".replace("-", "−") if low < 0 else f"{low}–{high}%"


def points(share: float | None) -> str:
    """-0.142 -> −14; differences of accuracies."""
    if share is None:
        return _NONE
    rounded = round(100 * share)
    return f"{rounded:+d}".replace("-", "−") if rounded else "0"


def decimal_points(share: float | None) -> str:
    """0.0432 -> 4.3; for thresholds, which whole points would blur."""
    return _NONE if share is None else f"{100 * share:.1f}"


def probability(p: float | None) -> str:
    """0.37; "< 0.001" below one in a thousand."""
    if p is None:
        return _NONE
    return "< 0.001" if p < 0.001 else f"{p:.2f}" if p >= 0.01 else f"{p:.3f}"


def ratio(number: float | None) -> str:
    """0.482 -> 0.48."""
    return _NONE if number is None else f"{number:.2f}"


def digits(number: float | None) -> str:
    """Two significant digits: 0.083, 0.51, 2.6, 14, 1,953."""
    if number is None:
        return _NONE
    if number == 0:
        return "0"
    decimals = max(0, 1 - math.floor(math.log10(abs(number))))
    return f"{number:,.{decimals}f}" if decimals < 6 else "< 0.0001"


def count(number: float | None) -> str:
    """3072.0 -> 3,072."""
    return _NONE if number is None else f"{number:,.0f}"


def kilobytes(size: float | None) -> str:
    """Bytes as KB of 1,000."""
    return _NONE if size is None else digits(size / 1000)


def megabytes(size: float | None) -> str:
    """Bytes as MB of 1,000,000."""
    return _NONE if size is None else digits(size / 1e6)


def decibels(number: float | None) -> str:
    """17.32 -> 17.3 dB; results.jsonl has 200 dB for an error of zero."""
    if number is None:
        return _NONE
    return f"{number:.1f} dB" if number < 200 else "no error"
