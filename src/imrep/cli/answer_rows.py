"""What `predict` prints of each image: a class, a number with its interval, or labels."""

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imrep.datasets.target import SEPARATOR
from imrep.io.names import printable

if TYPE_CHECKING:
    from imrep.api import Answers, LabelAnswers, NumberAnswers

_DIGITS = 6  # significant, of a number


def header(answers: "Answers | NumberAnswers | LabelAnswers", top: int) -> list[str]:
    """The names of the columns."""
    return ["path", *_columns(answers, top), *([] if answers.distances is None else ["distance"])]


def rows(answers: "Answers | NumberAnswers | LabelAnswers", top: int) -> Iterator[list[str]]:
    """A row for each image; empty cells where it could not be read."""
    for i, cells in enumerate(_cells(answers, top)):
        row = [answers.paths[i], *cells]
        if answers.distances is not None:
            row.append(f"{answers.distances[i]:.4f}" if any(cells) else "")
        yield row


def as_csv(rows: Iterable[Sequence[str]]) -> str:
    """The rows as the text of a csv file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([*map(printable, row)] for row in rows)
    return text.getvalue()


def write_parquet(out: Path, rows: Sequence[Sequence[str]]) -> None:
    """The rows as a parquet file: texts, and p as numbers; null for an empty cell."""
    import pyarrow as pa
    from pyarrow import parquet

    from imrep.io.files import replacing

    header, *body = rows
    columns = dict(zip(header, zip(*body, strict=True), strict=True))
    arrays = {
        name: pa.array([float(cell) if cell else None for cell in cells], pa.float64())
        if re.fullmatch(r"p\d*", name)
        else pa.array([printable(cell) or None for cell in cells], pa.string())
        for name, cells in columns.items()
    }
    with replacing(out) as draft, draft.open("wb") as file:  # Arrow takes no path that is no UTF-8
        parquet.write_table(pa.table(arrays), file)


def facts(answers: "Answers | NumberAnswers | LabelAnswers", top: int) -> list[dict[str, Any]]:
    """The same as dictionaries, for JSON; None where an image could not be read."""
    from imrep.api import LabelAnswers, NumberAnswers

    lines: list[dict[str, Any]]
    if isinstance(answers, NumberAnswers):
        lines = [
            {"value": _finite(value), "lo": _finite(low), "hi": _finite(high)}
            for value, (low, high) in zip(
                answers.values.tolist(), answers.intervals.tolist(), strict=True
            )
        ]
    elif isinstance(answers, LabelAnswers):
        lines = [
            {"labels": list(own), "p": dict(zip(answers.names, map(_finite, p), strict=True))}
            for own, p in zip(answers.labels, answers.probabilities.tolist(), strict=True)
        ]
    else:
        lines = [
            {
                "label": label,
                "p": best[0][1] if best else None,
                "top": [{"label": name, "p": p} for name, p in best],
            }
            for label, best in zip(answers.labels, answers.top(top), strict=True)
        ]
    distances = answers.distances
    return [
        {"path": path, **line, **({} if distances is None else {"distance": float(distances[i])})}
        for i, (path, line) in enumerate(zip(answers.paths, lines, strict=True))
    ]


def _columns(answers: "Answers | NumberAnswers | LabelAnswers", top: int) -> list[str]:
    from imrep.api import LabelAnswers, NumberAnswers

    if isinstance(answers, NumberAnswers):
        return ["value", "lo", "hi"]
    if isinstance(answers, LabelAnswers):
        return ["labels", *(f"p({name})" for name in answers.names)]
    count = min(top, len(answers.classes))
    further = [f"{name}{k}" for k in range(2, count + 1) for name in ("label", "p")]
    return ["label", "p", *further]


def _cells(answers: "Answers | NumberAnswers | LabelAnswers", top: int) -> Iterator[list[str]]:
    from imrep.api import LabelAnswers, NumberAnswers

    if isinstance(answers, NumberAnswers):
        for value, ends in zip(answers.values.tolist(), answers.intervals.tolist(), strict=True):
            numbers = (value, *ends)
            yield [f"{n:.{_DIGITS}g}" if math.isfinite(n) else "" for n in numbers]
    elif isinstance(answers, LabelAnswers):
        for own, shares in zip(answers.labels, answers.probabilities.tolist(), strict=True):
            yield [SEPARATOR.join(own), *(f"{p:.6f}" if math.isfinite(p) else "" for p in shares)]
    else:
        count = min(top, len(answers.classes))
        for label, best in zip(answers.labels, answers.top(count), strict=True):
            cells = [cell for name, p in best for cell in (name, f"{p:.6f}")] or [""] * 2 * count
            yield [label, *cells[1:]]


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
