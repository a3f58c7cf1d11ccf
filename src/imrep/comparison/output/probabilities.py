"""Answers and their probabilities: rows of results.jsonl, and the table of all answers."""

from collections.abc import Sequence

import numpy as np

from imrep.answers import Answers, AnswerTable
from imrep.comparison.conclusions.probabilities import Answered
from imrep.comparison.data.image_collection import ImageCollection
from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.output.rows import Rows
from imrep.comparison.statistics import reliability


def probabilities(
    rows: Rows, dataset: LabelledDataset, answers: Sequence[Answered], pick: str
) -> None:
    """Loss, calibration error and temperature of each, and the reliability of the pick.

    Args:
        rows: Where they go.
        dataset: The images that were scored.
        answers: Of every candidate and combination.
        pick: The recommended candidate, or the most accurate one.
    """
    for each in answers:
        table, temperature = each.calibrated
        loss = reliability.log_loss(table, dataset.labels)
        error = reliability.calibration_error(table, dataset.labels)
        rows.add_for(each.encoded, "probability.nll", loss, "nats")
        rows.add_for(each.encoded, "probability.ece", error, "share")
        if temperature is not None:
            rows.add_for(each.encoded, "probability.temperature", temperature, "ratio")
        if each.encoded.spec == pick:
            _reliability(rows, dataset, each)


def table(
    images: ImageCollection, dataset: LabelledDataset, answers: Sequence[Answered]
) -> AnswerTable:
    """The answers of all, for `answers.parquet`."""
    items = images.decoded.items
    return AnswerTable(
        paths=[items[row].path for row in dataset.rows],
        labels=dataset.labels,
        names=dataset.classes,
        by_spec={
            each.encoded.spec: Answers.of(
                each.classes, each.calibrated.probabilities, dataset.labels
            )
            for each in answers
        },
    )


def _reliability(rows: Rows, dataset: LabelledDataset, answered: Answered) -> None:
    """The bins of the diagram, and the answers that are sure."""
    encoded, classes = answered.encoded, answered.classes
    confidence = answered.calibrated.probabilities[np.arange(len(classes)), classes]
    right = classes == dataset.labels
    bins = reliability.diagram(confidence, right)
    for number, each in enumerate(bins, 1):
        name = f"{number} of {len(bins)}"
        rows.add_for(encoded, "probability.confidence", each.confidence, "share", detail=name)
        rows.add_for(
            encoded,
            "probability.right",
            each.right,
            "share",
            lo=each.low,
            hi=each.high,
            detail=name,
        )
    if (sure := reliability.sure(confidence, right)) is not None:
        rows.add_for(encoded, "probability.sure", sure.right, "share", lo=sure.low, hi=sure.high)
        rows.add_for(encoded, "probability.sure_images", sure.images, "images")
