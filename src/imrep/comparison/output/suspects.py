"""Images to look at: their rows, the list of suspected label errors, and the pictures."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from imrep.assets import CHECKED, Remark
from imrep.comparison.conclusions.suspects import ImagesToCheck
from imrep.comparison.data.image_collection import ImageCollection
from imrep.comparison.output.outcome import Scores
from imrep.comparison.output.rows import Rows
from imrep.io.files import write_text
from imrep.io.names import printable

_COLUMNS = ("path", "label", "seen_as", "p")


def rows(rows: Rows, checks: ImagesToCheck) -> None:
    """The sentences and the numbers in them."""
    errors, count = checks.errors, len(checks.errors.images)
    rows.add("suspects.sentence", None, detail=checks.text)
    rows.add("suspects.listed", count, "images")
    if not checks.blind:
        rows.add("suspects.wrong", errors.wrong, "images")
        rows.add("suspects.right", errors.right, "images")
        rows.add("suspects.threshold", errors.threshold, "share")
    rows.add("suspects.changed", checks.planted.changed, "images")
    rows.add("suspects.recall", errors.recall, "share")


def write(path: Path, scores: Scores | None, images: ImageCollection) -> None:
    """List suspected label errors as CSV, the most suspect first; remove an earlier run's list."""
    if scores is None or scores.suspects is None or not len(scores.suspects.errors.images):
        path.unlink(missing_ok=True)
        return
    listed = _listed(scores, scores.suspects, images)
    lines = [(*map(printable, entry[:3]), f"{entry.p:.4g}") for entry in listed]
    text = io.StringIO()
    csv.writer(text).writerows([_COLUMNS, *lines])
    write_text(path, text.getvalue())


def remarks(
    scores: Scores | None, images: ImageCollection
) -> tuple[dict[str, list[Remark]], np.ndarray]:
    """What is said of the pictures, by section, and the rows of all of them in that order."""
    if scores is None or scores.suspects is None:
        return {}, np.zeros(0, np.int64)
    checks, own = scores.suspects, scores.suspects.remarkable
    listed = checks.errors.images[:CHECKED]
    by_section = {
        "suspects": _listed(scores, checks, images)[:CHECKED],
        "hardest": _remarks(scores, checks, images, own.hardest),
        "typical": _remarks(scores, checks, images, own.typical),
        "confused": _confused(scores, checks, images),
    }
    every = [*listed.tolist(), *own.hardest, *own.typical, *own.confused[0], *own.confused[1]]
    return by_section, scores.dataset.rows[np.array(every, np.int64)]


def _listed(scores: Scores, checks: ImagesToCheck, images: ImageCollection) -> list[Remark]:
    return _remarks(scores, checks, images, checks.errors.images.tolist())


def _remarks(
    scores: Scores, checks: ImagesToCheck, images: ImageCollection, selected: Sequence[int]
) -> list[Remark]:
    """With the probability of the label and the most probable other class."""
    dataset, items = scores.dataset, images.decoded.items
    return [
        Remark(
            path=printable(items[dataset.rows[i]].path),
            label=dataset.classes[dataset.labels[i]],
            other=dataset.classes[checks.other[i]],
            p=float(checks.probability[i]),
        )
        for i in selected
    ]


def _confused(scores: Scores, checks: ImagesToCheck, images: ImageCollection) -> list[Remark]:
    """Images of the most confused pair, with the other class of the pair and its probability."""
    own, classes = checks.remarkable, scores.dataset.classes
    if own.pair is None:
        return []
    selected = [*own.confused[0], *own.confused[1]]
    others = [own.pair[1]] * len(own.confused[0]) + [own.pair[0]] * len(own.confused[1])
    return [
        remark._replace(other=classes[other], p=float(checks.table[i, other]))
        for remark, i, other in zip(
            _remarks(scores, checks, images, selected), selected, others, strict=True
        )
    ]
