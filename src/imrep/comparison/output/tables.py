"""The numbers of a comparison as rows of results.jsonl: one function for each kind."""

from collections.abc import Mapping, Sequence
from itertools import permutations

import numpy as np

from imrep.comparison.candidates import Absent
from imrep.comparison.conclusions.class_names import ByNames
from imrep.comparison.conclusions.classification import Classification
from imrep.comparison.conclusions.retrieval import Retrieval
from imrep.comparison.conclusions.sizes import SizeComparison
from imrep.comparison.conclusions.together import Together
from imrep.comparison.data.image_collection import ImageCollection
from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.diagnostics import similarity
from imrep.comparison.diagnostics.measurements import Measurements
from imrep.comparison.diagnostics.reconstruction import MIN_IMAGES
from imrep.comparison.output.outcome import Curve
from imrep.comparison.output.rows import Rows
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.statistics.crossing import MIN_POINTS, crossing
from imrep.comparison.statistics.many_to_one import Interval
from imrep.comparison.statistics.verdict import Standing
from imrep.datasets import Dataset


def data(rows: Rows, images: ImageCollection, source: Dataset) -> None:
    """Files, skipped files, classes, and what cannot be scored."""
    rows.add("data.files", len(source.items), "images")
    rows.add("data.skipped", len(images.decoded.skipped), "images")
    rows.add("data.total", source.total, "images")
    if images.names:
        rows.add("data.unlabelled", len(images) - images.labelled, "images")
    sizes = images.class_sizes
    for name in images.names:
        rows.add("data.class", sizes[name], "images", detail=name)
    for label in images.untestable:
        name = images.names[label]
        rows.add("data.left_out", sizes[name], "images", detail=name)


def duplicates(rows: Rows, images: ImageCollection) -> None:
    """Near-duplicates, and pairs of them with different labels."""
    copies = images.duplicates
    rows.add("duplicates.images", copies.images, "images")
    rows.add("duplicates.groups", len(copies.groups()), "groups")
    rows.add("duplicates.largest", copies.largest, "images")
    rows.add("duplicates.plain", int(copies.flat.sum()), "images")
    rows.add("duplicates.conflicts", images.conflicts, "pairs")


def accuracy(rows: Rows, dataset: LabelledDataset, classification: Classification) -> None:
    """Accuracies, recalls and differences of every candidate; accuracies of the controls."""
    verdict = classification.verdict
    leader = classification.encoded[verdict.leader].spec
    for encoded, predicted, standing in zip(
        classification.encoded, classification.predictions, verdict.standings, strict=True
    ):
        rows.add_for(
            encoded,
            "accuracy.probe",
            standing.accuracy,
            "share",
            lo=standing.low,
            hi=standing.high,
        )
        linear = predicted.linear_accuracy(dataset.labels)
        rows.add_for(encoded, "accuracy.linear", linear, "share")
        rows.add_for(encoded, "accuracy.knn", predicted.knn_accuracy(dataset.labels), "share")
        if predicted.by:
            rows.add_for(encoded, "accuracy.by", None, "", detail=predicted.by)
        if predicted.note:
            rows.add_for(encoded, "accuracy.constant", 1, "flag", detail=predicted.note)
        for name, share in _recalls(predicted.probe, dataset).items():
            rows.add_for(encoded, "accuracy.recall", share, "share", detail=name)
        if encoded.spec != leader:
            differences(rows, encoded, "difference.probe", standing, leader)
    for name, predicted in classification.controls.items():
        probe, knn = predicted.accuracy(dataset.labels), predicted.knn_accuracy(dataset.labels)
        rows.add("accuracy.probe", probe, "share", spec=name, role="control")
        rows.add("accuracy.knn", knn, "share", spec=name, role="control")


def together(rows: Rows, dataset: LabelledDataset, combinations: Sequence[Together]) -> None:
    """Accuracy, gain over the leader, weights and cost of every combination."""
    for each in combinations:
        encoded, result = each.encoded, each.result
        rows.add_for(
            encoded,
            "accuracy.probe",
            result.accuracy,
            "share",
            lo=result.low,
            hi=result.high,
        )
        for name, share in _recalls(each.combination.probe, dataset).items():
            rows.add_for(encoded, "accuracy.recall", share, "share", detail=name)
        combination(rows, each, "difference.probe")


def combination(rows: Rows, each: Together, difference: str) -> None:
    """Gain over the leader under the name `difference`, weights and cost of a combination."""
    encoded, result, leader = each.encoded, each.result, each.leader.spec
    low, high = result.gain_low, result.gain_high
    rows.add_for(encoded, difference, result.gain, "share", detail=leader, lo=low, hi=high)
    rows.add_for(encoded, "difference.p_flip", result.p_flip, "share", detail=leader)
    for part in each.parts:
        spec = part.encoded.spec
        rows.add_for(encoded, "combination.weight", part.weight, "share", detail=spec)
        rows.add_for(encoded, "combination.folds", part.folds, "share", detail=spec)
    cost(rows, encoded, {})


def by_names(rows: Rows, scores: Sequence[ByNames]) -> None:
    """Accuracy by the names of the classes alone."""
    for each in scores:
        if not each.reason:
            rows.add_for(
                each.encoded,
                "accuracy.zeroshot",
                each.accuracy,
                "share",
                lo=each.low,
                hi=each.high,
                detail=each.names,
            )


def curves(rows: Rows, curves: Sequence[Curve], metric: str = "probe_curve") -> None:
    """Accuracy, or what else is scored, with few labels."""
    for encoded, points in curves:
        for point in points:
            rows.add_for(
                encoded,
                f"accuracy.{metric}",
                point.accuracy,
                "share",
                lo=point.low,
                hi=point.high,
                detail=str(point.labels),
            )


def crossings(rows: Rows, curves: Sequence[Curve]) -> None:
    """Where the other curves overtake the highest; null where that cannot be told."""
    if not curves or not curves[0][1]:
        return
    best, highest = max(curves, key=lambda curve: curve[1][-1].accuracy)
    labels = [point.labels for point in highest]
    leader = np.array([point.draws for point in highest])
    for encoded, points in curves:
        if encoded is best or len(labels) < MIN_POINTS:
            continue
        result = crossing(labels, leader, np.array([point.draws for point in points]))
        value, low, high = result or (None, None, None)
        rows.add_for(
            encoded, "accuracy.probe_crossing", value, "labels", lo=low, hi=high, detail=best.spec
        )


def sizes(rows: Rows, comparison: SizeComparison) -> None:
    """Time and score at every size, each with the side that was read."""
    for size, encoded in comparison.measured:
        rows.add_for(encoded, "cost.ms_size", encoded.cpu_ms, "ms", detail=str(size))
    for each in comparison.scores:
        size, encoded = each.at
        _interval(rows, encoded, f"accuracy.{comparison.metric}_size", each.score, size)
        if each.gain is not None:
            _interval(rows, encoded, "difference.size", each.gain, size)


def _interval(rows: Rows, encoded: EncodedCandidate, name: str, value: Interval, size: int) -> None:
    rows.add_for(encoded, name, value.value, "share", lo=value.low, hi=value.high, detail=str(size))


def retrieval(rows: Rows, results: Retrieval) -> None:
    """Mean average precision, and differences to the leader."""
    leader = results.encoded[results.verdict.leader].spec
    for encoded, standing in zip(results.encoded, results.verdict.standings, strict=True):
        rows.add_for(
            encoded,
            "accuracy.retrieval",
            standing.accuracy,
            "share",
            lo=standing.low,
            hi=standing.high,
        )
        if encoded.spec != leader:
            _difference(rows, encoded, "difference.retrieval", standing, leader)


def measurements(rows: Rows, measured: Measurements, peaks: Mapping[str, int], n: int) -> None:
    """Cost, stability and reconstruction of one candidate, from a sample of n images."""
    cost(rows, measured.encoded, peaks)
    _stability(rows, measured)
    _reconstruction(rows, measured, n)


def label_free(rows: Rows, measured: Sequence[Measurements]) -> None:
    """Effective dimensions, leading directions, and similarity of representations."""
    for candidate in measured:
        shape, encoded = similarity.describe(candidate.gram), candidate.encoded
        rows.add_for(encoded, "labelfree.effective_dimensions", shape.dimensions, "dimensions")
        rows.add_for(encoded, "labelfree.share1", shape.share_1, "share")
        rows.add_for(encoded, "labelfree.share10", shape.share_10, "share")
    cka = similarity.cka([candidate.gram for candidate in measured])
    for i, j in permutations(range(len(measured)), 2):
        other = measured[j].encoded.spec
        rows.add_for(measured[i].encoded, "labelfree.cka", cka[i, j], "share", detail=other)


def failures(rows: Rows, absent: Sequence[Absent]) -> None:
    """What was not compared, and why."""
    for entry in absent:
        rows.add(f"failed.{entry.metric}", None, detail=entry.reason, spec=entry.spec)


def cost(rows: Rows, encoded: EncodedCandidate, peaks: Mapping[str, int]) -> None:
    """Time, memory and length; of vectors made elsewhere the length, and the time if stated."""
    rows.add_for(encoded, "cost.dimensions", encoded.dimensions, "dimensions")
    rows.add_for(encoded, "cost.bytes", encoded.bytes, "bytes")
    if np.isfinite(encoded.cpu_ms):
        rows.add_for(encoded, "cost.ms", encoded.cpu_ms, "ms")
    if encoded.candidate.time_stated:
        rows.add_for(encoded, "cost.ms_stated", 1, "flag")
    if encoded.candidate.precomputed:
        return
    rows.add_for(encoded, "cost.wall_ms", encoded.wall_ms, "ms")
    if encoded.fitted_on:
        rows.add_for(encoded, "cost.fit_s", encoded.fit_seconds, "s")
    if encoded.trained:
        rows.add_for(encoded, "cost.trained", 1, "flag", detail=encoded.budget)
    rows.add_for(encoded, "cost.images_s", 1000 / max(encoded.cpu_ms, 1e-6), "images")
    if (peak := peaks.get(encoded.candidate.rebuild_spec)) is not None:
        rows.add_for(encoded, "cost.memory", peak, "bytes")


def _stability(rows: Rows, measured: Measurements) -> None:
    """Displacement under each perturbation; nothing without two images to compare it with."""
    encoded, stability = measured.encoded, measured.stability
    if stability is None or encoded.images < 2:
        return
    for name, moved in stability.move.items():
        rows.add_for(encoded, "stability.move", moved, "ratio", detail=name)
        rows.add_for(encoded, "stability.top1", stability.top1[name], "share", detail=name)
    rows.add_for(encoded, "stability.moves", stability.mean, "ratio")


def _reconstruction(rows: Rows, measured: Measurements, n: int) -> None:
    """Least-squares reconstruction from 200 images or more, and the exact inverse."""
    encoded, reconstruction, inverse = (
        measured.encoded,
        measured.reconstruction,
        measured.inverse,
    )
    if reconstruction is not None and n >= MIN_IMAGES:
        rows.add_for(encoded, "information.kept", reconstruction.explained, "share")
        rows.add_for(encoded, "information.detail", reconstruction.detail, "share")
        rows.add_for(encoded, "information.psnr", reconstruction.psnr, "dB")
    if inverse is not None:
        rows.add_for(encoded, "information.exact", inverse.psnr, "dB")
        rows.add_for(encoded, "information.code_numbers", inverse.numbers, "dimensions")


def differences(
    rows: Rows, encoded: EncodedCandidate, name: str, standing: Standing, leader: str
) -> None:
    """This candidate minus the leader, and the tests of that difference.

    Args:
        rows: Where they go.
        encoded: The candidate.
        name: Kind and metric of the difference.
        standing: Its standing.
        leader: Spec of the leader.
    """
    _difference(rows, encoded, name, standing, leader)
    if np.isfinite(standing.t):
        rows.add_for(encoded, "difference.t", standing.t, "ratio", detail=leader)
    rows.add_for(encoded, "difference.p_flip", standing.p_flip, "share", detail=leader)
    rows.add_for(encoded, "difference.needed", standing.needed, "share", detail=leader)


def _difference(
    rows: Rows, encoded: EncodedCandidate, name: str, standing: Standing, leader: str
) -> None:
    """This candidate minus the leader; the standing has the leader minus this candidate."""
    low, high = -standing.behind_high, -standing.behind_low
    rows.add_for(encoded, name, -standing.behind, "share", detail=leader, lo=low, hi=high)


def _recalls(probe: np.ndarray, dataset: LabelledDataset) -> dict[str, float]:
    hits = probe == dataset.labels
    return {
        name: float(hits[dataset.labels == label].mean())
        for label, name in enumerate(dataset.classes)
    }
