"""Sheets of tiles, each inlined once, and the position of each tile."""

import base64
from dataclasses import dataclass
from pathlib import Path

from imrep.assets import COLUMNS, FOLDER


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One image holding `count` equal tiles, 25 to a row (see assets.py)."""

    name: str
    uri: str
    count: int

    @property
    def columns(self) -> int:
        return min(COLUMNS, self.count)

    @property
    def rows(self) -> int:
        return -(-self.count // self.columns)

    def position(self, tile: int) -> str:
        """CSS background-position that shows this tile in a box of its size."""
        row, column = divmod(tile, self.columns)
        x, y = column / max(self.columns - 1, 1), row / max(self.rows - 1, 1)
        return f"{100 * x:.4g}% {100 * y:.4g}%"


def sheet(folder: Path, filename: str, count: int) -> Sheet | None:
    """The sheet as a data URI, unchanged; None without tiles."""
    if not count:
        return None
    path = folder / FOLDER / filename
    data = base64.b64encode(path.read_bytes()).decode()
    return Sheet(name=path.stem, uri=f"data:image/{path.suffix[1:]};base64,{data}", count=count)
