"""What `embed` returns: vectors of images, in memory or in the file that they were written to."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imrep.base import Representation
from imrep.embedding.vector_file import OutputFile
from imrep.io import vectors
from imrep.io.frames import data_frame
from imrep.store.summary import Summary

if TYPE_CHECKING:
    from pandas import DataFrame


class Rows(NamedTuple):
    """The rows of an embedding.

    Attributes:
        vectors: (n, d), float32.
        paths: Of each image.
        labels: The class of each, None where there is none.
    """

    vectors: NDArray[np.float32]
    paths: tuple[str, ...]
    labels: tuple[str | None, ...]


class Embedding:
    """Vectors of images, in the order of `paths`.

    NumPy and scikit-learn take it where they take an array. Vectors that were written to a file or
    a store are read from there when they are first asked for.

    Args:
        rows: Gives the rows.
        skipped: (path, reason) of the files that could not be read; they have no row.
        representation: The representation; fitted on these images, where it needed that.
        output: The file, or what was done to the store; None in memory.
    """

    def __init__(
        self,
        rows: Callable[[], Rows],
        skipped: tuple[tuple[str, str], ...],
        representation: Representation,
        output: OutputFile | Summary | None = None,
    ) -> None:
        self._read = rows
        self.skipped, self.representation, self.output = skipped, representation, output

    @cached_property
    def _rows(self) -> Rows:
        return self._read()

    @property
    def vectors(self) -> NDArray[np.float32]:
        """(n, d), float32."""
        return self._rows.vectors

    @property
    def paths(self) -> tuple[str, ...]:
        """Of each image; "000000", "000001" … of images in memory."""
        return self._rows.paths

    @property
    def labels(self) -> tuple[str | None, ...]:
        """The class of each image, None where there is none."""
        return self._rows.labels

    @property
    def shape(self) -> tuple[int, int]:
        """Number of vectors, and numbers in each."""
        if self.output is not None:
            return self.output.rows, self.output.dim
        rows, columns = self.vectors.shape
        return rows, columns

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled with its rows, wherever they are."""
        return _of_rows, (self._rows, self.skipped, self.representation, self.output)

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self.vectors.astype(dtype or self.vectors.dtype, copy=bool(copy))

    def __repr__(self) -> str:
        rows, columns = self.shape
        where = f" in {self.output.path}" if self.output else ""
        skipped = f", {len(self.skipped)} skipped" if self.skipped else ""
        return f"Embedding({rows} × {columns} of {self.representation.spec}{where}{skipped})"

    def to_pandas(self) -> "DataFrame":
        """A row per image: path, label, and a column for each number.

        Raises:
            ExtraNeeded: pandas is not installed.
        """
        name = self.representation.name
        columns: dict[str, Any] = {"path": self.paths, "label": self.labels}
        columns |= {f"{name}{i}": column for i, column in enumerate(self.vectors.T)}
        return data_frame(columns, "Embedding.to_pandas")


def _of_rows(
    rows: Rows,
    skipped: tuple[tuple[str, str], ...],
    representation: Representation,
    output: OutputFile | Summary | None,
) -> Embedding:
    return Embedding(lambda: rows, skipped, representation, output)


def of_output(output: OutputFile | Summary, representation: Representation) -> Embedding:
    """The embedding in a file, or in a store at the version it has now."""
    if isinstance(output, OutputFile):
        return Embedding(lambda: _of_file(output), output.skipped, representation, output)
    from imrep import store

    opened = store.open(output.path)

    def rows() -> Rows:
        columns = opened.rows(["path", "label"])
        paths, labels = (tuple(columns[name].to_pylist()) for name in ("path", "label"))
        return Rows(opened.vectors(), paths, labels)

    return Embedding(rows, output.skipped, representation, output)


def _of_file(output: OutputFile) -> Rows:
    read, columns = vectors.read(output.path)
    return Rows(read, tuple(map(str, columns["path"])), tuple(columns["label"]))
