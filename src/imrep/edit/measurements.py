"""What an operation measures in an image to set its own strength, for whoever wants to know.

with measurements.recording() as found:
    denoise(image)
found  # [Measurement("denoise", {"noise": 0.031})]
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

__all__ = ["Measurement", "record", "recording"]


@dataclass(frozen=True)
class Measurement:
    """What one operation measured in one image.

    Attributes:
        operation: Its name.
        values: Numbers by name, in units of [0, 1] unless the operation says otherwise.
        note: What the user should know of it; "" where it is as usual.
    """

    operation: str
    values: dict[str, float] = field(default_factory=dict)
    note: str = ""


_RECORDS: ContextVar[list[Measurement] | None] = ContextVar("measured", default=None)


@contextmanager
def recording() -> Iterator[list[Measurement]]:
    """A list of what operations called in this thread measure meanwhile."""
    records: list[Measurement] = []
    token = _RECORDS.set(records)
    try:
        yield records
    finally:
        _RECORDS.reset(token)


def record(operation: str, note: str = "", /, **values: float) -> None:
    """Tell whoever is recording."""
    records = _RECORDS.get()
    if records is not None:
        records.append(Measurement(operation, values, note))
