"""A map of images: what `imrep.map` returns, and the files it is written to."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imrep.errors import BadParameter
from imrep.io.files import replacing, write_text
from imrep.projection import page
from imrep.projection.faithfulness import Faithfulness
from imrep.projection.labelled_vectors import LabelledVectors
from imrep.projection.layout import TITLES, Layout
from imrep.projection.thumbnails import Thumbnails

SUFFIXES = (".html", ".parquet")


@dataclass(frozen=True, eq=False)
class ImageMap:
    """Positions of images on a plane, and how faithful they are.

    Args:
        name: Of the vectors.
        source: The vectors, with paths and labels.
        layout: Positions (n, 2) float32, and the method they are by.
        faithfulness: Share of nearest neighbours that the map preserves, and trustworthiness.
        thumbnails: Of the images, or of a part of them.
        seed: Of the layout.
        notes: What was left out, and why.
    """

    name: str
    source: LabelledVectors = field(repr=False)
    layout: Layout = field(repr=False)
    faithfulness: Faithfulness
    thumbnails: Thumbnails = field(repr=False)
    seed: int = 0
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def positions(self) -> NDArray[np.float32]:
        """(n, 2), any scale."""
        return self.layout.positions

    @property
    def paths(self) -> tuple[str, ...] | None:
        """Of the n images; None where the vectors have none."""
        return self.source.paths

    @property
    def labels(self) -> tuple[str | None, ...]:
        """Of the n images, None without one; or empty."""
        return self.source.labels

    @property
    def method(self) -> str:
        """The title of the method that laid the images out."""
        return TITLES[self.layout.method]

    @property
    def skipped(self) -> tuple[tuple[str, str], ...]:
        """Path and reason of the images that could not be read for a thumbnail."""
        return self.thumbnails.skipped

    @property
    def sentence(self) -> str:
        """How faithful the map is, in words."""
        return page.sentence(self.faithfulness)

    @property
    def html(self) -> str:
        """The page, which loads nothing."""
        return page.render(
            self.name,
            self.layout,
            self.faithfulness,
            self.thumbnails,
            paths=self.paths,
            labels=self.labels,
            spec=self.source.facts.get("spec", ""),
            dim=self.source.vectors.shape[1],
            seed=self.seed,
        )

    def write(self, path: str | Path) -> Path:
        """Write a page (.html), or a table (.parquet) of path, label, x, y and vector.

        Raises:
            BadParameter: The suffix is another.
            OSError: The system refuses.
        """
        path = Path(path)
        check_suffix(path)
        if path.suffix.lower() == ".html":
            write_text(path, self.html)
        else:
            self._write_table(path)
        return path

    def _write_table(self, path: Path) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        vectors = np.ascontiguousarray(self.source.vectors, np.float32)
        columns = {"path": pa.array(self.paths or _numbered(len(self)), pa.string())}
        if self.labels:
            columns["label"] = pa.array(self.labels, pa.string())
        columns |= {"x": pa.array(self.positions[:, 0]), "y": pa.array(self.positions[:, 1])}
        columns["vector"] = pa.FixedSizeListArray.from_arrays(
            pa.array(vectors.ravel()), vectors.shape[1]
        )
        facts = {f"imrep.{name}": fact for name, fact in self.source.facts.items()}
        with replacing(path) as draft:
            parquet.write_table(pa.table(columns).replace_schema_metadata(facts), draft)


def check_suffix(path: Path) -> None:
    """Refuse a name that ends in neither .html nor .parquet.

    Raises:
        BadParameter: It does.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise BadParameter(
            f"map needs a name ending in {' or '.join(SUFFIXES)}, got {path.name!r}. Try "
            f"{path.stem or 'map'}.html."
        )


def _numbered(count: int) -> list[str]:
    return [f"row {row + 1}" for row in range(count)]
