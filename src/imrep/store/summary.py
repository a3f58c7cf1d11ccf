"""What a run did to a store."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Summary:
    """What a run did.

    Args:
        path: The store.
        rows: Vectors in it, without those marked deleted.
        dim: Numbers in a vector.
        version: Of the table.
        encoded: Images that were embedded.
        reused: Images whose vector was stored under another path, or under their own before.
        deleted: Rows that were marked deleted.
        current: Images that needed nothing.
        skipped: Path and reason of the files that have no vector.
        skipped_path: The list of these, beside the store.
        fitted_path: Folder of the representation, where it is one that is fitted.
        fitted_on: Images it was fitted on.
        seconds: Of this run.
        rate: Images embedded a second; 0 where none were.
    """

    path: Path
    rows: int
    dim: int
    version: int
    encoded: int
    reused: int
    deleted: int
    current: int
    skipped: tuple[tuple[str, str], ...]
    skipped_path: Path | None
    fitted_path: Path | None
    fitted_on: int
    seconds: float
    rate: float
