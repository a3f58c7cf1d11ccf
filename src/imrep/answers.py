"""What each representation answered for every scored image: the file `answers.parquet`.

A row is an image in the scores; each answer comes from a classifier that has not seen the image's
group. SPEC stands for the name of a representation, a sum or a combination.

| column | type | content |
|---|---|---|
| path | string | the image, relative to the data, as all outputs spell it |
| label | string | its class |
| SPEC.answer | string | the class that SPEC names |
| SPEC.probability | float32 | of that answer; every class counts as equally likely |
| SPEC.margin | float32 | probability of the label minus the largest of another class; below 0 where
  the answer is wrong |

Where an image has any number of labels:

| column | type | content |
|---|---|---|
| path | string | as above |
| labels | string | its labels with a vertical bar between two; "" for none |
| SPEC.score.LABEL | float32 | prediction, 1 for having the label, minus the share of the training
  images that have it; images are ranked by it |
| SPEC.probability.LABEL | float32 | of the label |

Where an image has a number:

| column | type | content |
|---|---|---|
| path | string | as above |
| value | float64 | its number |
| SPEC.predicted | float64 | the number that SPEC predicts, in the same unit |
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from imrep.errors import BadData
from imrep.io.files import replacing
from imrep.io.names import printable

FILENAME = "answers.parquet"
_FIELDS = ("answer", "probability", "margin")


@dataclass(frozen=True, eq=False)
class Answers:
    """The answers of one representation.

    Args:
        classes: Class it names, (n,) indices into the names.
        probability: Of that class, (n,) in [0, 1].
        margin: (n,) in [-1, 1], probability of the label minus the largest of another class.
    """

    classes: NDArray[np.integer]
    probability: NDArray[np.float32]
    margin: NDArray[np.float32]

    @classmethod
    def of(
        cls,
        classes: NDArray[np.integer],
        probabilities: NDArray[np.float32],
        labels: NDArray[np.integer],
    ) -> "Answers":
        """From the classes (n,), the probabilities (n, C) of all, and the labels (n,)."""
        rows, others = np.arange(len(labels)), probabilities.copy()
        others[rows, labels] = -1
        margin = probabilities[rows, labels] - others.max(1)
        return cls(classes, probabilities[rows, classes], margin.astype(np.float32))


@dataclass(frozen=True, eq=False)
class AnswerTable:
    """All answers of a comparison.

    Args:
        paths: Of the n images.
        labels: Class of each, indices into `names`.
        names: Of the classes.
        by_spec: The answers of every representation, each n.
    """

    paths: Sequence[str]
    labels: NDArray[np.integer]
    names: Sequence[str]
    by_spec: Mapping[str, Answers]

    def columns(self) -> dict[str, pa.Array]:
        """The columns of the file."""
        names = _texts(self.names)
        columns = {"path": _texts(self.paths), "label": names.take(pa.array(self.labels))}
        for spec, own in self.by_spec.items():
            columns[f"{spec}.answer"] = names.take(pa.array(own.classes))
            columns[f"{spec}.probability"] = pa.array(own.probability, pa.float32())
            columns[f"{spec}.margin"] = pa.array(own.margin, pa.float32())
        return columns


@dataclass(frozen=True, eq=False)
class LabelAnswers:
    """What one representation answers for several labels.

    Args:
        scores: Of every image for each label, (n, L).
        probabilities: Of having it, (n, L) in [0, 1].
    """

    scores: NDArray[np.floating]
    probabilities: NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class LabelAnswerTable:
    """All answers of a comparison on images of several labels.

    Args:
        paths: Of the n images.
        positives: Which of the L labels each has, (n, L).
        names: Of the labels.
        by_spec: The answers of every representation, each n.
    """

    paths: Sequence[str]
    positives: NDArray[np.bool_]
    names: Sequence[str]
    by_spec: Mapping[str, LabelAnswers]

    def columns(self) -> dict[str, pa.Array]:
        """The columns of the file."""
        names = [printable(name) for name in self.names]
        labels = ["|".join(np.array(names, object)[row]) for row in self.positives]
        columns = {"path": _texts(self.paths), "labels": pa.array(labels, pa.string())}
        for spec, own in self.by_spec.items():
            for what, table in (("score", own.scores), ("probability", own.probabilities)):
                for label, column in zip(names, np.asarray(table, np.float32).T, strict=True):
                    columns[f"{spec}.{what}.{label}"] = pa.array(column, pa.float32())
        return columns


@dataclass(frozen=True, eq=False)
class ValueAnswerTable:
    """All predictions of a comparison on images with a number.

    Args:
        paths: Of the n images.
        values: Their numbers.
        by_spec: What every representation predicts, each n.
    """

    paths: Sequence[str]
    values: NDArray[np.floating]
    by_spec: Mapping[str, NDArray[np.floating]]

    def columns(self) -> dict[str, pa.Array]:
        """The columns of the file."""
        columns = {"path": _texts(self.paths), "value": pa.array(self.values, pa.float64())}
        for spec, predicted in self.by_spec.items():
            columns[f"{spec}.predicted"] = pa.array(predicted, pa.float64())
        return columns


AnyTable = AnswerTable | LabelAnswerTable | ValueAnswerTable


def write(folder: Path, table: AnyTable | None) -> None:
    """Write the file, complete or not at all; None removes that of an earlier run."""
    path = folder / FILENAME
    if table is None:
        path.unlink(missing_ok=True)
        return
    with replacing(path) as draft, draft.open("wb") as file:  # Arrow takes no path that is no UTF-8
        parquet.write_table(pa.table(table.columns()), file)


def _texts(names: Sequence[str]) -> pa.Array:
    return pa.array([printable(name) for name in names], pa.string())


def read(
    folder: Path,
    specs: Sequence[str] | None = None,
    target: str = "label",
    fields: Sequence[str] = _FIELDS,
) -> dict[str, NDArray] | None:
    """The columns by name: texts as objects.

    Args:
        folder: What `imrep compare` wrote.
        specs: The representations to read; None for all columns.
        target: The column of what is predicted.
        fields: Of every representation.

    Returns:
        None where there is no file, since nothing was scored.

    Raises:
        BadData: The file is broken, or has no answers of a representation.
    """
    path = folder / FILENAME
    if not path.is_file():
        return None
    columns = None
    if specs is not None:
        columns = ["path", target, *(f"{spec}.{field}" for spec in specs for field in fields)]
    try:
        with path.open("rb") as opened, parquet.ParquetFile(opened) as file:
            names = file.schema_arrow.names
            if missing := [name for name in columns or () if name not in names]:
                raise BadData(
                    f"{FILENAME} needs a column {missing[0]!r}, got {', '.join(names[:5])} … "
                    "Run imrep compare again."
                )
            table = file.read(columns)
    except pa.ArrowInvalid as error:
        raise BadData(f"{FILENAME} cannot be read: {error}. Run imrep compare again.") from error
    return {name: table[name].to_numpy() for name in table.column_names}
