"""Notes on the assumptions made while files are read, collected for the caller to print."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOCK = threading.Lock()
_LISTENERS: list[dict[str, None]] = []


@contextmanager
def noting() -> Iterator[dict[str, None]]:
    """Collects, as ordered keys, the notes on all files read in the block, on any thread.

    Of nested collections only the innermost receives them.
    """
    notes: dict[str, None] = {}
    with _LOCK:
        _LISTENERS.append(notes)
    try:
        yield notes
    finally:
        with _LOCK:
            _LISTENERS[:] = [listener for listener in _LISTENERS if listener is not notes]


def note(sentence: str) -> None:
    """Add it to the innermost collection, if there is one."""
    with _LOCK:
        if _LISTENERS:
            _LISTENERS[-1][sentence] = None


def assumption(assumed: str) -> str:
    """`Facts.assumed` as a sentence."""
    return f"{assumed}, since their files state no range; --data-range BLACK,WHITE says another."
