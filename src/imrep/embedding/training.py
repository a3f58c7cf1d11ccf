"""A representation that learns from labels, trained in `compare`: in every fold, and on all images.

A network that was trained on an image's label tells nothing of how well it classifies that image.
So the training part of each fold trains one of its own, whose vectors that fold is judged on. The
one that is trained on all images gives pictures, costs, and what is saved. The trained ones and
their vectors are cached one by one, so that an interrupted run continues after the last. Those of a
learning curve, trained on a few images each, leave only vectors.
"""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch

from imrep import factory, images
from imrep.base import Representation, Supervised
from imrep.embedding import cache
from imrep.embedding.decoded_images import Decoded
from imrep.embedding.encode import Encoded, embed, encode
from imrep.types import Image, Progress


@dataclass(frozen=True, eq=False)
class Labels:
    """The classes of some images, and the training part of each fold.

    Args:
        rows: Rows of the labelled images.
        classes: Class of each of them, 0 … C-1.
        trains: Of each fold the training images, as indices into `rows`.
        seed: Of the training.
    """

    rows: np.ndarray
    classes: np.ndarray
    trains: tuple[np.ndarray, ...]
    seed: int


def train_and_encode(
    rep: Supervised, decoded: Decoded, labels: Labels, device: str, progress: Progress
) -> Encoded:
    """Vectors of every image by a representation trained on all, and by one for each fold.

    Raises:
        BadData: If the representation cannot be trained on these images.
        BadImage: If it refuses them, or a vector holds a number that is not finite.
    """
    every = np.arange(len(labels.rows))
    parts, keys, seconds = [], [], 0.0
    count = len(labels.trains) + 1
    for done, train in enumerate((every, *labels.trains)):
        watched = _within(progress, rep.spec, done, count)
        trained, key, spent = _trained(rep, decoded, labels, train, device, watched)
        parts.append(encode(trained, decoded, device, progress))
        keys.append(key)
        seconds = seconds or spent
    return replace(
        parts[0],
        key=cache.key("trained", decoded.key, keys),
        fit_seconds=seconds,
        fitted=True,
        folds=tuple(part.path for part in parts[1:]),
        budget=rep.budget,
        trained_on=partial(_vectors_by_few, rep, decoded, labels, device),
    )


def _vectors_by_few(
    rep: Supervised,
    decoded: Decoded,
    labels: Labels,
    device: str,
    train: np.ndarray,
    test: np.ndarray,
) -> np.ndarray:
    """float32 (t + q, d): vectors of `train` and `test`, by one that is trained on the former.

    Both are indices into the rows of `labels`.
    """
    rows = labels.rows[np.concatenate([train, test])]
    key = cache.key("few", *_ingredients(rep, decoded, labels, train), labels.rows[test].tolist())
    path = cache.folder("trained", key) / "vectors.npz"
    stored = cache.read_arrays(path)
    if stored is None:
        own = _fit(rep, decoded, labels, train, device, _silent)
        stored = {"vectors": embed(own.eval(), decoded.squares[rows], device)}
        cache.write_arrays(path, **stored)
    return stored["vectors"]


def _trained(
    rep: Supervised,
    decoded: Decoded,
    labels: Labels,
    train: np.ndarray,
    device: str,
    progress: Progress,
) -> tuple[Representation, str, float]:
    """The representation, the key of its folder, and the CPU seconds of training it."""
    key = cache.key("trained", *_ingredients(rep, decoded, labels, train))
    folder = cache.folder("trained", key)
    with cache.held(folder):
        summary = cache.read_json(folder / "trained.json")
        if summary is None:
            start = time.process_time()
            own = _fit(rep, decoded, labels, train, device, progress)
            summary = {"seconds": time.process_time() - start}
            own.save(folder / "network")
            cache.write_json(folder / "trained.json", summary)
        trained = factory.load(folder / "network")
    trained._folder = ""  # named by its parameters, not by its place in the cache
    return trained.to(device), key, summary["seconds"]


def _ingredients(
    rep: Supervised, decoded: Decoded, labels: Labels, train: np.ndarray
) -> tuple[Any, ...]:
    """Everything that decides the trained weights."""
    rows, classes = labels.rows[train].tolist(), labels.classes[train].tolist()
    return decoded.key, rep.fingerprint, rows, classes, labels.seed


def _fit(
    rep: Supervised,
    decoded: Decoded,
    labels: Labels,
    train: np.ndarray,
    device: str,
    progress: Progress,
) -> Supervised:
    own, classes = copy.deepcopy(rep).to(device), torch.from_numpy(labels.classes[train])
    own.fit_rows(_reader(decoded, labels.rows[train]), classes, labels.seed, progress)
    return own


def _reader(decoded: Decoded, rows: np.ndarray) -> Callable[[np.ndarray], Image]:
    squares = decoded.squares
    return lambda chosen: images.batch(squares[rows[chosen]])


def _silent(step: str, done: int, total: int) -> None:
    """A training of seconds, which its caller counts."""


def _within(progress: Progress, spec: str, done: int, count: int) -> Progress:
    """Reports one of several trainings as a part of all of them."""

    def report(step: str, epoch: int, epochs: int) -> None:
        progress(f"training {spec}", done * epochs + epoch, count * epochs)

    return report
