"""Linear probes across folds."""

import numpy as np
import pytest

from imrep.embedding.image_vectors import unit
from imrep.errors import BadData
from imrep.evaluation import probe


def quiet(*_):
    """No progress."""


def clouds(count, spread, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    return unit((np.eye(3, 8)[labels] + spread * rng.normal(size=(count, 8))).astype("f4")), labels


def test_accuracy_of_separate_classes_is_one_and_of_noise_is_chance():
    vectors, labels = clouds(90, 0.1)
    figure = probe.accuracy(vectors, labels, np.arange(90), quiet)
    assert figure.value == 1 and figure.chance == pytest.approx(1 / 3) and figure.n == 90
    noise = unit(np.random.default_rng(1).normal(size=(90, 8)).astype("f4"))
    figure = probe.accuracy(noise, labels, np.arange(90), quiet)
    assert figure.lo < 1 / 3 + 0.1 and figure.value < 0.6


def test_a_group_is_never_learned_from_and_tested():
    """Copies of one image with a label of its group alone: a leak would give it away."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 3)
    labels = rng.permutation(np.arange(20) % 2)[groups]
    vectors = unit(rng.normal(size=(20, 16)).astype("f4"))[groups]
    assert probe.accuracy(vectors, labels, groups, quiet).value < 0.8


def test_precision_of_labels_that_are_directions_is_near_one():
    rng = np.random.default_rng(0)
    positives = rng.random((80, 3)) < 0.4
    vectors = unit(np.hstack([positives, 0.05 * rng.normal(size=(80, 5))]).astype("f4") + 0.1)
    figure = probe.precision(vectors, positives, np.arange(80), quiet)
    assert figure.value > 0.95 and figure.n == 80 and 0 <= figure.lo <= figure.hi <= 1
    noise = unit(rng.normal(size=(80, 8)).astype("f4"))
    figure = probe.precision(noise, positives, np.arange(80), quiet)
    assert figure.lo < positives.mean() + 0.1 and figure.chance == pytest.approx(positives.mean())


def test_what_cannot_be_tested_is_refused():
    vectors, labels = clouds(9, 0.1)
    with pytest.raises(BadData, match="two images of every class"):
        probe.accuracy(vectors[:4], labels[:4], np.arange(4), quiet)
    with pytest.raises(BadData, match="labels that at least 6 images have"):
        probe.precision(vectors, np.eye(9, 2) > 0, np.arange(9), quiet)
