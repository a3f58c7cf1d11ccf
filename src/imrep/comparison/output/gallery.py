"""Images for the report: thumbnails, nearest neighbours, near-duplicates, examples."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from imrep.assets import NEAREST, QUERIES, SIDE, THUMBNAILS, Assets
from imrep.comparison.conclusions.retrieval import Retrieval
from imrep.comparison.diagnostics import measurements, stability
from imrep.comparison.diagnostics.cues.variants import example
from imrep.comparison.diagnostics.leading_directions import leading_directions
from imrep.comparison.output import multi_label, near_duplicates, pictures, suspects, values
from imrep.comparison.output.outcome import Outcome
from imrep.comparison.probes.encoded_candidate import EncodedCandidate

_MAX_RELATED = 50_000  # thumbnails times candidates: each has neighbours and a position in the page
_MIN_THUMBNAILS = 600
_PAIR_PX = 96  # side of a near-duplicate or odd image: large enough to show what differs


def assets(outcome: Outcome, seed: int) -> Assets:
    """Everything the report displays besides numbers."""
    images, scores, retrieval = outcome.images, outcome.scores, outcome.retrieval
    decoded = images.decoded
    rows = images.stratified(_count(len(outcome.encoded)))
    items = [decoded.items[row] for row in rows]
    labels, groups = [item.label for item in items], images.labels
    objects = _objects(retrieval, rows)
    if retrieval and not scores:  # the question is which images show the same object
        groups, labels, objects = retrieval.objects.groups, objects, []
    neighbours, planes = _related(outcome.encoded if len(rows) > 1 else [], rows)
    pairs = near_duplicates.pairs(images)
    ends = [row for edge, _ in pairs for row in (edge.i, edge.j)]
    odd = pictures.examples(outcome.quality, images)
    odd_squares = decoded.squares[[row for row, _ in odd]]
    remarks, remarked = suspects.remarks(scores, images)
    if outcome.label_scores is not None:
        remarks, remarked = multi_label.ranked_wrong(images, outcome.label_scores.results)
    if outcome.value_scores is not None:
        remarks, remarked = values.furthest_off(images, outcome.value_scores.results)
    sample = stability.sample(len(images), seed)
    perturbed = measurements.perturbed_images(decoded, seed)
    originals, original_paths = measurements.originals(images)
    return Assets(
        thumbnails=shrink(decoded.squares[rows]),
        paths=[item.path for item in items],
        labels=labels,
        objects=objects,
        neighbours=neighbours,
        queries=queries(groups[rows], seed),
        maps={spec: plane.positions for spec, plane in planes.items()},
        variances={spec: plane.shares for spec, plane in planes.items()},
        copies=shrink(decoded.squares[ends], min(_PAIR_PX, decoded.size)),
        pairs=[pair for _, pair in pairs],
        odd_tiles=shrink(odd_squares, min(_PAIR_PX, decoded.size)),
        odd=[picture for _, picture in odd],
        remarked=shrink(decoded.squares[remarked], min(_PAIR_PX, decoded.size)),
        remarks=remarks,
        originals=originals,
        original_paths=original_paths,
        rebuilt={
            measured.encoded.spec: measured.reconstruction.images
            for measured in outcome.measurements
            if measured.reconstruction is not None
        },
        perturbed=examples(perturbed, decoded.squares[sample]),
        variants=_variants(outcome, seed),
        perturbed_path=decoded.items[sample[0]].path,
        classes=scores.dataset.classes if scores else (),
        confusions=_confusions(outcome),
        skipped=decoded.skipped,
    )


def _count(candidates: int) -> int:
    """How many images have a thumbnail, so that the page stays below 8 MB."""
    return min(THUMBNAILS, max(_MIN_THUMBNAILS, _MAX_RELATED // max(candidates, 1)))


def _related(
    encoded: Sequence[EncodedCandidate], rows: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, "Plane"]]:
    """Nearest neighbours and the plane of these images, by every candidate."""
    neighbours, planes = {}, {}
    for candidate in encoded:  # one at a time: the cosines of 2,000 images take 16 MB
        similarity = cosines(candidate.vectors(rows))
        neighbours[candidate.spec] = nearest(similarity)
        planes[candidate.spec] = principal_plane(similarity)
    return neighbours, planes


def _objects(retrieval: Retrieval | None, rows: np.ndarray) -> list[str | None]:
    """The object that each of these images shows, None without one; empty without objects."""
    if retrieval is None:
        return []
    groups, names = retrieval.objects.groups, retrieval.objects.names
    return [None if groups[row] < 0 else names[groups[row]] for row in rows]


def _variants(outcome: Outcome, seed: int) -> dict[str, np.ndarray]:
    """An image as it is and in every variant; empty where the classes' cues were not looked for."""
    if not outcome.cues:
        return {}
    return example(outcome.images.decoded.squares, outcome.cues[0].dataset.rows, seed)


def _confusions(outcome: Outcome) -> dict[str, np.ndarray]:
    if outcome.scores is None:
        return {}
    dataset, results = outcome.scores.dataset, outcome.scores.classification
    return {
        encoded.spec: confusion(dataset.labels, predicted.probe, len(dataset.classes))
        for encoded, predicted in zip(results.encoded, results.predictions, strict=True)
    }


def shrink(squares: np.ndarray, side: int = SIDE) -> np.ndarray:
    """Squares uint8 (n, S, S, 3) at side × side."""
    if not len(squares):
        return np.zeros((0, side, side, 3), np.uint8)
    method = cv2.INTER_AREA if squares.shape[1] > side else cv2.INTER_LINEAR
    return np.stack([cv2.resize(image, (side, side), interpolation=method) for image in squares])


def cosines(vectors: np.ndarray) -> np.ndarray:
    """Cosines (t, t) of centred vectors; 0 for a vector at the mean."""
    centred = vectors - vectors.mean(0, dtype=np.float64).astype(np.float32)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = centred / np.maximum(length, 1e-12)
    return unit @ unit.T


def nearest(similarity: np.ndarray) -> np.ndarray:
    """The five nearest of each image, itself left out; ties go to the earlier image."""
    similarity, every = similarity.copy(), np.arange(len(similarity))
    columns, last = [], every
    for _ in range(min(NEAREST, len(similarity) - 1)):  # faster than to sort each line
        similarity[every, last] = -np.inf
        last = similarity.argmax(1)
        columns.append(last)
    return np.stack(columns, 1)


class Plane(NamedTuple):
    """Images on a plane.

    Attributes:
        positions: (t, 2).
        shares: Of the variance along each of the two axes, in [0, 1].
    """

    positions: np.ndarray
    shares: tuple[float, float]


def principal_plane(similarity: np.ndarray) -> Plane:
    """The first two principal axes of unit vectors, from their inner products (kernel PCA)."""
    column, row = similarity.mean(0), similarity.mean(1)[:, None]
    centred = similarity - column - row + similarity.mean()
    values, vectors = leading_directions(centred, 2)
    xy = vectors[:, ::-1] * np.sqrt(np.maximum(values[::-1], 0))
    xy = np.pad(xy, ((0, 0), (0, 2 - xy.shape[1])))  # one image has one direction
    signs = np.where(xy[np.abs(xy).argmax(0), [0, 1]] < 0, -1, 1)  # eigh's sign is arbitrary
    variance = np.square(xy).sum(0) / max(float(np.trace(centred)), 1e-12)
    return Plane(xy * signs, (float(variance[0]), float(variance[1])))


def queries(labels: np.ndarray, seed: int) -> list[int]:
    """Three images to display first, of three classes where there are as many."""
    order = np.random.default_rng(seed).permutation(len(labels))
    first = {label: int(i) for label, i in reversed(list(zip(labels[order], order, strict=True)))}
    selected = sorted(first.values(), key=order.tolist().index)[:QUERIES]
    more = [int(i) for i in order if int(i) not in selected]
    return selected + more[: QUERIES - len(selected)]


def confusion(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Counts (classes, classes): rows the true class, columns the predicted one."""
    return np.bincount(truth * classes + predicted, minlength=classes**2).reshape(classes, classes)


def examples(perturbed: Mapping[str, np.ndarray], squares: np.ndarray) -> dict[str, np.ndarray]:
    """One image as it is and under each perturbation."""
    return {"original": squares[0]} | {name: images[0] for name, images in perturbed.items()}
