"""Results on images of several labels: rows of results.jsonl, answers, and pictures to look at."""

from typing import NamedTuple

import numpy as np

from imrep.answers import LabelAnswers, LabelAnswerTable
from imrep.assets import Remark
from imrep.comparison.conclusions.multi_label import MultiLabel
from imrep.comparison.conclusions.remarkable_rankings import misranked
from imrep.comparison.data.image_collection import ImageCollection
from imrep.comparison.data.multi_label_dataset import LabelSets
from imrep.comparison.output.outcome import LabelScores
from imrep.comparison.output.rows import Rows
from imrep.comparison.output.tables import combination, differences
from imrep.comparison.probes.label_probabilities import label_probabilities
from imrep.comparison.probes.regression import ValuePredictions
from imrep.comparison.probes.value_combination import ValueCombination
from imrep.comparison.statistics.mean_average_precision import Precision
from imrep.io.names import printable

FALSE, MISSED = "false", "missed"
"""Sections of pictures: ranked high without the label, and low with it."""

_MAX_LABELS = 24  # whose pictures are displayed: 8 of each, within the page's 8 MB


def add_labels(rows: Rows, images: ImageCollection, scores: LabelScores | None) -> None:
    """Images that have each label, of those in the scores; labels that are left out."""
    if images.label_sets is None:
        return
    sets = LabelSets.of(images.label_sets)
    tested = scores.results.dataset.names if scores else ()
    scored = scores.results.dataset.rows if scores else sets.scored(images.left_out)
    rows.add("data.unlabelled", int((~sets.annotated).sum()), "images")
    for name, count in zip(sets.names, sets.positives[scored].sum(0).tolist(), strict=True):
        metric = "data.label" if name in tested else "data.left_out"
        rows.add(metric, count, "images", detail=name)


def add_precisions(rows: Rows, results: MultiLabel) -> None:
    """Mean average precision of every candidate and control, of each label, and differences."""
    verdict, names = results.verdict, results.dataset.names
    leader = results.encoded[verdict.leader].spec
    for encoded, predicted, precision, standing in zip(
        results.encoded, results.predictions, results.precisions, verdict.standings, strict=True
    ):
        rows.add_for(
            encoded,
            "accuracy.precision",
            _share(standing.accuracy),
            "share",
            lo=standing.low,
            hi=standing.high,
        )
        if predicted.by:
            rows.add_for(encoded, "accuracy.by", None, "", detail=predicted.by)
            linear = results.rankings.precision(predicted.linear).mean
            rows.add_for(encoded, "accuracy.linear", _share(linear), "share")
        if predicted.note:
            rows.add_for(encoded, "accuracy.constant", 1, "flag", detail=predicted.note)
        for name, share in _by_label(precision, names).items():
            rows.add_for(encoded, "accuracy.label_precision", share, "share", detail=name)
        if encoded.spec != leader:
            differences(rows, encoded, "difference.precision", standing, leader)
    for name, precision in results.controls.items():
        share = _share(precision.mean)
        rows.add("accuracy.precision", share, "share", spec=name, role="control")


def _by_label(precision: Precision, names: tuple[str, ...]) -> dict[str, float]:
    return {
        name: _share(value) for name, value in zip(names, precision.by_label.tolist(), strict=True)
    }


def _share(precision: float) -> float:
    """Within [0, 1], which the jackknife may leave by a hair."""
    return min(max(precision, 0.0), 1.0)


def add_together(rows: Rows, scores: LabelScores) -> None:
    """Mean average precision, gain over the leader, weights and cost of every combination."""
    names = scores.results.dataset.names
    for each in scores.together:
        encoded, result = each.encoded, each.result
        share, low, high = _share(result.accuracy), result.low, result.high
        rows.add_for(encoded, "accuracy.precision", share, "share", lo=low, hi=high)
        precision = scores.results.rankings.precision(each.combination.centred)
        for name, share in _by_label(precision, names).items():
            rows.add_for(encoded, "accuracy.label_precision", share, "share", detail=name)
        combination(rows, each, "difference.precision")


def answer_table(images: ImageCollection, scores: LabelScores) -> LabelAnswerTable:
    """Scores and probabilities of all candidates and combinations, for `answers.parquet`."""
    results, items = scores.results, images.decoded.items
    dataset = results.dataset
    predicted: dict[str, ValuePredictions | ValueCombination] = {
        encoded.spec: each
        for encoded, each in zip(results.encoded, results.predictions, strict=True)
    }
    predicted |= {row.encoded.spec: row.combination for row in scores.together}
    return LabelAnswerTable(
        paths=[items[row].path for row in dataset.rows],
        positives=dataset.positives,
        names=dataset.names,
        by_spec={
            spec: LabelAnswers(each.centred, label_probabilities(each.folds, dataset))
            for spec, each in predicted.items()
        },
    )


class Pictures(NamedTuple):
    """What is said of pictures, by section, and the rows of all of them in that order.

    Attributes:
        remarks: "false" and "missed", with all labels of the image in place of the other class,
            and the share of images that rank below it in place of the probability.
        rows: In the collection.
    """

    remarks: dict[str, list[Remark]]
    rows: np.ndarray


def ranked_wrong(images: ImageCollection, results: MultiLabel) -> Pictures:
    """For each label, images without it that rank high and images with it that rank low.

    The scores are those of the recommended candidate, else of the leader. Of many labels the 24 of
    the lowest average precision are taken. They come in this order, the lowest first.
    """
    scores, dataset = results.predictions[results.best].centred, results.dataset
    weakest = np.argsort(results.precisions[results.best].by_label, kind="stable")[:_MAX_LABELS]
    every_label = misranked(scores, dataset.positives)
    by_label = [every_label[label] for label in weakest.tolist()]
    selected = {
        FALSE: [(each.label, i) for each in by_label for i in each.false],
        MISSED: [(each.label, i) for each in by_label for i in each.missed],
    }
    items = images.decoded.items
    remarks = {
        section: [
            Remark(
                path=printable(items[dataset.rows[i]].path),
                label=dataset.names[label],
                other=", ".join(
                    name
                    for name, has in zip(dataset.names, dataset.positives[i], strict=True)
                    if has
                ),
                p=float((scores[:, label] < scores[i, label]).mean()),
            )
            for label, i in pairs
        ]
        for section, pairs in selected.items()
    }
    every = [i for pairs in selected.values() for _, i in pairs]
    return Pictures(remarks, dataset.rows[np.array(every, np.int64)])
