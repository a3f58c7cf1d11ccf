"""Limits of the cache, and sizes and ages as text."""

import os
import re

from imrep.errors import BadParameter, short_repr

__all__ = ["VARIABLE", "as_text", "limit", "seconds"]

VARIABLE = "IMREP_CACHE_LIMIT"
_DEFAULT = 5 * 10**9
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt])(i?)b?", re.IGNORECASE)
_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*(h|d|w)", re.IGNORECASE)
_SECONDS = {"h": 3600, "d": 86_400, "w": 604_800}
_PREFIXES = " kMGT"


def limit(requested: object = None) -> int | None:
    """The limit of the cache in bytes; None for no limit.

    Args:
        requested: "5GB", "500MB", "none", or a number of bytes; None for the environment variable
            IMREP_CACHE_LIMIT, or 5 GB where it is not set.

    Raises:
        BadParameter: It is none of these, or 0.
    """
    name = "compare needs cache_limit to be"
    if requested is None:
        name, requested = f"{VARIABLE} needs to be", os.environ.get(VARIABLE) or _DEFAULT
    size = _bytes(requested)
    if size == 0:
        raise BadParameter(
            f"{name} above 0, got {short_repr(requested)}. Use none for no limit; "
            "imrep cache clear deletes all entries."
        )
    if size is None and not _is_none(requested):
        raise BadParameter(
            f"{name} a size such as 5GB or 500MB, or none for no limit, got "
            f"{short_repr(requested)}. Try 5GB."
        )
    return size


def _bytes(value: object) -> int | None:
    """Bytes of "5GB", "1.5 GiB" or a number; None where it is neither."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value >= 0 else None
    if str(value).strip() == "0":
        return 0
    if not isinstance(value, str) or not (match := _SIZE.fullmatch(value.strip())):
        return None
    base = 1024 if match[3] else 1000
    return int(float(match[1]) * base ** _PREFIXES.index(match[2].upper().replace("K", "k")))


def _is_none(value: object) -> bool:
    return isinstance(value, str) and value.strip().lower() == "none"


def seconds(age: str) -> float:
    """Seconds of "30d", "12h" or "2w".

    Raises:
        BadParameter: It is no such age.
    """
    if not (match := _AGE.fullmatch(age.strip())):
        raise BadParameter(f"an age is hours, days or weeks such as 12h, 30d or 2w, got {age!r}.")
    return float(match[1]) * _SECONDS[match[2].lower()]


def as_text(size: float) -> str:
    """Bytes in words: "1.2 GB", "340 MB", "12 kB"; of 1000, as disks are sold.

    Example:
        >>> as_text(0), as_text(340e6), as_text(1.25e9)
        ('0 kB', '340 MB', '1.2 GB')
    """
    power = 1
    while size >= 999.5 * 1000**power and power < len(_PREFIXES) - 1:
        power += 1
    number = size / 1000**power
    digits = f"{number:.1f}".removesuffix(".0") if number < 9.95 else f"{number:.0f}"
    return f"{digits} {_PREFIXES[power]}B"
