"""What was measured, as rows of results.jsonl: one function for each kind of number."""

from collections.abc import Mapping, Sequence
from itertools import permutations

import numpy as np

from imrep.comparison.candidates import Absent
from imrep.comparison.conclusions.answers import Answers
from imrep.comparison.data import labelled_dataset as folders
from imrep.comparison.data.labelled_dataset import Folder
from imrep.comparison.diagnostics import similarity
from imrep.comparison.diagnostics.reconstruction import Kept
from imrep.comparison.diagnostics.stability import Moves
from imrep.comparison.output import gallery
from imrep.comparison.output.rows import Record
from imrep.comparison.probes import predictions
from imrep.comparison.probes.classifier import Predictions, balanced_accuracy
from imrep.comparison.probes.kernel_matrix import Gram
from imrep.comparison.probes.learning_curve import Point
from imrep.comparison.probes.predictions import Coded

_DECODABLE = 200  # images below which a decoder has too few to learn from


def about_data(record: Record, folder: Folder, files: int, total: int) -> None:
    """Files, skipped ones, classes, and what could not be scored."""
    record.add("data.files", files, "images")
    record.add("data.skipped", len(folder.decoded.skipped), "images")
    record.add("data.total", total, "images")
    if folder.names:
        record.add("data.unlabelled", len(folder.labels) - folder.labelled, "images")
    sizes = folders.sizes(folder)
    for name in folder.names:
        record.add("data.class", sizes[name], "images", detail=name)
    for label in folder.left_out:
        name = folder.names[label]
        record.add("data.left_out", sizes[name], "images", detail=name)


def about_copies(record: Record, folder: Folder) -> None:
    """Near-copies and the labels they disagree on."""
    groups = folder.copies.groups()
    record.add("duplicates.images", sum(map(len, groups)), "images")
    record.add("duplicates.groups", len(groups), "groups")
    record.add("duplicates.largest", folder.copies.largest, "images")
    record.add("duplicates.plain", int(folder.copies.flat.sum()), "images")
    conflicts = gallery.conflicts(folder.decoded, folder.copies)
    record.add("duplicates.conflicts", conflicts, "pairs")


def accuracy(record: Record, folder: Folder, answers: Answers) -> None:
    """Probe, neighbours, classes and differences of every contender, and of the controls."""
    verdict = answers.verdict
    leader = answers.coded[verdict.leader].spec
    for coded, seen, standing in zip(
        answers.coded, answers.predictions, verdict.standings, strict=True
    ):
        ends = {"lo": standing.low, "hi": standing.high}
        record.of(coded, "accuracy.probe", standing.accuracy, "share", **ends)
        record.of(coded, "accuracy.knn", predictions.knn(seen, folder), "share")
        if seen.note:
            record.of(coded, "accuracy.constant", 1, "flag")
        for name, share in _recalls(seen, folder).items():
            record.of(coded, "accuracy.recall", share, "share", detail=name)
        if coded.spec != leader:
            ends = {"lo": -standing.behind_high, "hi": -standing.behind_low}
            record.of(coded, "difference.probe", -standing.behind, "share", detail=leader, **ends)
            if np.isfinite(standing.t):
                record.of(coded, "difference.t", standing.t, "ratio", detail=leader)
            record.of(coded, "difference.p_flip", standing.p_flip, "share", detail=leader)
    for name, seen in answers.controls.items():
        grey = {"spec": name, "role": "control"}
        hits = seen.probe == folder.truth
        record.add("accuracy.probe", balanced_accuracy(hits, folder.truth), "share", **grey)
        record.add("accuracy.knn", predictions.knn(seen, folder), "share", **grey)


def curves(record: Record, curves: Sequence[tuple[Coded, Sequence[Point]]]) -> None:
    """Accuracy with few labels a class."""
    for coded, points in curves:
        for point in points:
            ends = {"lo": point.low, "hi": point.high, "detail": str(point.labels)}
            record.of(coded, "accuracy.probe_curve", point.accuracy, "share", **ends)


def cost(record: Record, coded: Coded, memory: Mapping[str, int]) -> None:
    """Time, memory and length of one contender's code; of vectors made elsewhere the length."""
    record.of(coded, "cost.dimensions", coded.dimensions, "dimensions")
    record.of(coded, "cost.bytes", 4 * coded.dimensions, "bytes")
    if coded.contender.ready:
        return
    record.of(coded, "cost.ms", coded.cpu_ms, "ms")
    record.of(coded, "cost.wall_ms", coded.wall_ms, "ms")
    if coded.fitted_on:
        record.of(coded, "cost.fit_s", coded.fit_seconds, "s")
    record.of(coded, "cost.images_s", 1000 / max(coded.cpu_ms, 1e-6), "images")
    if (peak := memory.get(coded.contender.written)) is not None:
        record.of(coded, "cost.memory", peak, "bytes")


def stability(record: Record, coded: Coded, moves: Moves) -> None:
    """How far each perturbation moves the code, and whether the original is still the nearest.

    Nothing where there are not two images to measure the distance by.
    """
    if coded.images < 2:
        return
    for name, moved in moves.move.items():
        record.of(coded, "stability.move", moved, "ratio", detail=name)
        record.of(coded, "stability.top1", moves.top1[name], "share", detail=name)
    record.of(coded, "stability.moves", moves.mean, "ratio")


def information(
    record: Record, coded: Coded, kept: Kept | None, exact: float | None, images: int
) -> None:
    """What a linear decoder, and an exact inverse, get back of the picture.

    From few images the decoder tells of their number and not of the representation.
    """
    if kept is not None and images >= _DECODABLE:
        record.of(coded, "information.kept", kept.kept, "share")
        record.of(coded, "information.detail", kept.detail, "share")
        record.of(coded, "information.psnr", kept.psnr, "dB")
    if exact is not None:
        record.of(coded, "information.exact", exact, "dB")


def label_free(record: Record, grams: Sequence[tuple[Coded, Gram]]) -> None:
    """Effective dimensions, leading directions, and which codes say the same."""
    for coded, gram in grams:
        shape = similarity.describe(gram)
        record.of(coded, "labelfree.effective_dimensions", shape.dimensions, "dimensions")
        record.of(coded, "labelfree.share1", shape.share_1, "share")
        record.of(coded, "labelfree.share10", shape.share_10, "share")
    alike = similarity.cka([gram for _, gram in grams])
    for i, j in permutations(range(len(grams)), 2):
        record.of(grams[i][0], "labelfree.cka", alike[i, j], "share", detail=grams[j][0].spec)


def failures(record: Record, absent: Sequence[Absent]) -> None:
    """What was not compared, and why."""
    for one in absent:
        record.add(f"failed.{one.metric}", None, detail=one.reason, spec=one.spec)


def _recalls(seen: Predictions, folder: Folder) -> dict[str, float]:
    hits = seen.probe == folder.truth
    return {
        name: float(hits[folder.truth == label].mean()) for label, name in enumerate(folder.classes)
    }
