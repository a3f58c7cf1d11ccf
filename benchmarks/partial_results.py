"""Measurements of a long benchmark, written one by one so that an interrupted run goes on."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def default(name: str) -> Path:
    """Where a benchmark keeps its measurements: in the folder OUT, else in build/."""
    return Path(os.environ.get("OUT", "build")) / f"{name}.jsonl"


class PartialResults:
    """Rows of a JSON lines file, by the values of their keys."""

    def __init__(self, path: Path, *keys: str) -> None:
        self.path, self.keys = path, keys
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        self.rows = {self._key(row): row for row in map(json.loads, lines)}

    def get(self, measure: Callable[[], Row], **key: object) -> Row:
        """The row of this key: stored, or measured now and stored."""
        if (known := self.rows.get(self._key(key))) is not None:
            return known
        row = {**key, **measure()}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        self.rows[self._key(row)] = row
        return row

    def _key(self, row: Row) -> tuple[object, ...]:
        return tuple(row[key] for key in self.keys)
