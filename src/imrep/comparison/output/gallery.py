"""Pictures for the report: thumbnails, who is whose neighbour, near-copies, examples."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from scipy.linalg import eigh

from imrep.assets import NEAREST, PAIRS, QUERIES, SIDE, THUMBNAILS, Pair
from imrep.comparison.data.duplicates import Copies
from imrep.comparison.data.folds import stratified
from imrep.embedding.decoded_images import Decoded

_COPY = 96  # pixels a side of a near-copy: large enough to see what differs


def shown(labels: np.ndarray, seed: int) -> np.ndarray:
    """Indices of at most 600 images for the sheet of thumbnails, classes in proportion."""
    return stratified(labels, THUMBNAILS, seed)


def shrink(squares: np.ndarray, side: int = SIDE) -> np.ndarray:
    """Squares uint8 (n, S, S, 3) at side × side."""
    if not len(squares):
        return np.zeros((0, side, side, 3), np.uint8)
    how = cv2.INTER_AREA if squares.shape[1] > side else cv2.INTER_LINEAR
    return np.stack([cv2.resize(one, (side, side), interpolation=how) for one in squares])


def cosines(vectors: np.ndarray) -> np.ndarray:
    """Cosines (t, t) of codes after their mean is removed; 0 with a code at the mean."""
    centred = vectors - vectors.mean(0, dtype=np.float64).astype(np.float32)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = centred / np.maximum(length, 1e-12)
    return unit @ unit.T


def nearest(alike: np.ndarray) -> np.ndarray:
    """The five most alike of each, itself left out; ties go to the earlier image."""
    alike = alike.copy()
    np.fill_diagonal(alike, -np.inf)
    few = min(NEAREST, len(alike) - 1)
    return np.argsort(-alike, axis=1, kind="stable")[:, :few]


def plane(alike: np.ndarray) -> np.ndarray:
    """Positions (t, 2): the two directions in which unit codes vary most (kernel PCA)."""
    centre = alike - alike.mean(0) - alike.mean(1)[:, None] + alike.mean()
    last = (max(0, len(centre) - 2), len(centre) - 1)
    values, vectors = eigh(centre, subset_by_index=last)
    spots = vectors[:, ::-1] * np.sqrt(np.maximum(values[::-1], 0))
    spots = np.pad(spots, ((0, 0), (0, 2 - spots.shape[1])))  # one image has one direction
    signs = np.where(spots[np.abs(spots).argmax(0), [0, 1]] < 0, -1, 1)  # eigh's sign is arbitrary
    return spots * signs


def queries(labels: np.ndarray, seed: int) -> list[int]:
    """Three images to show first, of three classes where there are as many."""
    order = np.random.default_rng(seed).permutation(len(labels))
    first = {label: int(i) for label, i in reversed(list(zip(labels[order], order, strict=True)))}
    chosen = sorted(first.values(), key=order.tolist().index)[:QUERIES]
    more = [int(i) for i in order if int(i) not in chosen]
    return chosen + more[: QUERIES - len(chosen)]


def near_copies(decoded: Decoded, copies: Copies) -> tuple[list[Pair], np.ndarray]:
    """Twelve pairs of near-copies and their pictures, those with different labels first."""
    items = decoded.items
    pairs = [
        (edge, Pair(paths=(items[edge.i].path, items[edge.j].path),
                    labels=(items[edge.i].label, items[edge.j].label)))
        for edge in copies.edges
    ]  # fmt: skip
    pairs.sort(key=lambda pair: not pair[1].conflict)
    few = pairs[:PAIRS]
    rows = [row for edge, _ in few for row in (edge.i, edge.j)]
    return [pair for _, pair in few], shrink(decoded.squares[rows], min(_COPY, decoded.size))


def conflicts(decoded: Decoded, copies: Copies) -> int:
    """Pairs of near-copies with different labels."""
    labels = [item.label for item in decoded.items]
    pairs = [(labels[edge.i], labels[edge.j]) for edge in copies.edges]
    return sum(a != b for a, b in pairs if a is not None and b is not None)


def confusion(truth: np.ndarray, answer: np.ndarray, classes: int) -> np.ndarray:
    """Counts (classes, classes): rows the true class, columns the answer."""
    return np.bincount(truth * classes + answer, minlength=classes**2).reshape(classes, classes)


def examples(perturbed: Mapping[str, np.ndarray], squares: np.ndarray) -> dict[str, np.ndarray]:
    """One image as it is and under each perturbation."""
    return {"original": squares[0]} | {name: images[0] for name, images in perturbed.items()}


def names(decoded: Decoded, rows: Sequence[int]) -> tuple[list[str], list[str | None]]:
    """Paths and labels of some of the images."""
    items = [decoded.items[row] for row in rows]
    return [item.path for item in items], [item.label for item in items]
