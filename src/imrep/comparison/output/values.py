"""Results on images with a number: rows of results.jsonl, answers, and pictures to look at."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray as Array

from imrep.answers import ValueAnswerTable
from imrep.assets import Remark
from imrep.comparison.conclusions.phrases import amount
from imrep.comparison.conclusions.regression import (
    Regression,
    errors_of,
    guess_error,
    guesses_of,
    mean_error,
)
from imrep.comparison.conclusions.together import Together
from imrep.comparison.data.image_collection import ImageCollection
from imrep.comparison.data.valued_dataset import ValuedDataset
from imrep.comparison.output.outcome import ValueScores
from imrep.comparison.output.rows import Rows
from imrep.comparison.output.tables import combination, differences
from imrep.comparison.probes.value_combination import ValueCombination
from imrep.comparison.statistics.explained_variance import explained
from imrep.io.names import printable

FURTHEST = "furthest"
"""Section of pictures: those whose predicted number is furthest off."""

_FURTHEST = 12


def add_target(rows: Rows, images: ImageCollection, scores: ValueScores | None) -> None:
    """What is predicted, of how many images, and how far off guessing is."""
    if images.values is None:
        return
    rows.add("data.unlabelled", len(images) - images.labelled, "images")
    if scores is None:
        return
    dataset = scores.results.dataset
    rows.add("data.target", len(dataset), "images", detail=dataset.names[0])
    rows.add("data.guess_error", *_error(dataset, guess_error(dataset)))


def add_explained(rows: Rows, results: Regression) -> None:
    """R² and error of every candidate and control, and differences to the leader."""
    dataset, verdict = results.dataset, results.verdict
    leader = results.encoded[verdict.leader].spec
    for encoded, predicted, standing in zip(
        results.encoded, results.predictions, verdict.standings, strict=True
    ):
        low, high = standing.low, standing.high
        rows.add_for(encoded, "accuracy.r2", standing.accuracy, "share", lo=low, hi=high)
        error = _error(dataset, mean_error(dataset, predicted.centred))
        rows.add_for(encoded, "accuracy.error", *error)
        if predicted.by:
            rows.add_for(encoded, "accuracy.by", None, "", detail=predicted.by)
            rows.add_for(encoded, "accuracy.linear", _r2(dataset, predicted.linear), "share")
        if predicted.note:
            rows.add_for(encoded, "accuracy.constant", 1, "flag", detail=predicted.note)
        if encoded.spec != leader:
            differences(rows, encoded, "difference.r2", standing, leader)
    for name, predicted in results.controls.items():
        share = _r2(dataset, predicted.centred)
        rows.add("accuracy.r2", share, "share", spec=name, role="control")
        error = _error(dataset, mean_error(dataset, predicted.centred))
        rows.add("accuracy.error", *error, spec=name, role="control")


def add_together(
    rows: Rows, dataset: ValuedDataset, combinations: Sequence[Together[ValueCombination]]
) -> None:
    """R², gain over the leader, weights and cost of every combination."""
    for each in combinations:
        encoded, result = each.encoded, each.result
        low, high = result.low, result.high
        rows.add_for(encoded, "accuracy.r2", result.accuracy, "share", lo=low, hi=high)
        error = _error(dataset, mean_error(dataset, each.combination.centred))
        rows.add_for(encoded, "accuracy.error", *error)
        combination(rows, each, "difference.r2")


def answer_table(images: ImageCollection, scores: ValueScores) -> ValueAnswerTable:
    """What every candidate and combination predicts, for `answers.parquet`."""
    dataset, items = scores.results.dataset, images.decoded.items
    predicted = {
        encoded.spec: each.centred
        for encoded, each in zip(scores.results.encoded, scores.results.predictions, strict=True)
    }
    predicted |= {row.encoded.spec: row.combination.centred for row in scores.together}
    return ValueAnswerTable(
        paths=[items[row].path for row in dataset.rows],
        values=dataset.as_given(dataset.values[:, 0]),
        by_spec={spec: _predicted(dataset, centred) for spec, centred in predicted.items()},
    )


def furthest_off(
    images: ImageCollection, results: Regression
) -> tuple[dict[str, list[Remark]], np.ndarray]:
    """What is said of the twelve pictures that are furthest off, and their rows.

    The predictions are those of the recommended candidate, else of the leader. Of a group of
    near-duplicates one is taken.
    """
    dataset, predicted = results.dataset, results.predictions[results.best].centred
    errors = np.abs(errors_of(dataset, predicted))
    guess = guess_error(dataset)
    true, named = dataset.as_given(dataset.values[:, 0]), _predicted(dataset, predicted)
    selected: dict[int, int] = {}
    for i in np.argsort(-errors, kind="stable").tolist():
        selected.setdefault(int(dataset.groups[i]), i)
        if len(selected) == _FURTHEST:
            break
    order = list(selected.values())
    items = images.decoded.items
    remarks = [
        Remark(
            path=printable(items[dataset.rows[i]].path),
            label=amount(float(true[i])),
            other=amount(float(named[i])),
            p=float(errors[i] / guess),
        )
        for i in order
    ]
    return {FURTHEST: remarks}, dataset.rows[np.array(order, np.int64)]


def _predicted(dataset: ValuedDataset, centred: Float[Array, "n t"]) -> Float[Array, " n"]:
    """In the unit of the data."""
    return dataset.as_given((dataset.means + centred)[:, 0])


def _r2(dataset: ValuedDataset, centred: Float[Array, "n t"]) -> float:
    return float(explained(errors_of(dataset, centred), guesses_of(dataset)))


def _error(dataset: ValuedDataset, error: float) -> tuple[float, str]:
    """An error with its unit: that of the number, or a factor where a logarithm is predicted."""
    return (math.exp(error), "factor") if dataset.scale else (error, "number")
