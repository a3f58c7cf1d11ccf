"""What operations measure in an image to set their own strength, such as its noise level.

with measurements.recording() as records:
    denoise(image)
records  # [Measurement("denoise", {"noise": 0.031})]
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
        note: A remark for the user; "" for none.
    """

    operation: str
    values: dict[str, float] = field(default_factory=dict)
    note: str = ""


_RECORDS: ContextVar[list[Measurement] | None] = ContextVar("measurements", default=None)


@contextmanager
def recording() -> Iterator[list[Measurement]]:
    """A list that operations called in this thread append to within the block."""
    records: list[Measurement] = []
    token = _RECORDS.set(records)
    try:
        yield records
    finally:
        _RECORDS.reset(token)


def record(operation: str, note: str = "", /, **values: float) -> None:
    """Append a measurement to the list of the enclosing `recording`, if there is one."""
    records = _RECORDS.get()
    if records is not None:
        records.append(Measurement(operation, values, note))
