"""Probabilities of labels come from scores of images that were left out."""

import numpy as np
import pytest

from imrep.comparison.data.multi_label_dataset import LabelSets, multi_labelled
from imrep.comparison.probes.label_probabilities import label_probabilities
from imrep.comparison.probes.regression import cross_validate_values
from imrep.estimators.kernels import Kernels


def _dataset(n=240, seed=0):
    rng = np.random.default_rng(seed)
    positives = rng.random((n, 3)) < [0.2, 0.4, 0.6]
    labels = [tuple(np.array(["a", "b", "c"])[row]) for row in positives]
    dataset = multi_labelled(LabelSets.of(labels), np.arange(n), seed)
    noise = rng.normal(size=(n, 12))
    noise[:, :3] += 2 * positives
    return dataset, noise.astype(np.float32)


def test_they_are_calibrated_and_rank_as_the_scores_do():
    dataset, vectors = _dataset()
    predicted = cross_validate_values(Kernels(vectors, "mine", True), dataset.valued)
    table = label_probabilities(predicted.folds, dataset)
    assert table.mean(0) == pytest.approx(dataset.prevalence, abs=0.04)
    for label in range(3):
        sure = table[:, label] > 0.8
        assert dataset.positives[sure, label].mean() > 0.75
        for _, test in dataset.folds:  # within a fold the order is that of the scores
            order = np.argsort(predicted.centred[test, label])
            assert (np.diff(table[test, label][order]) >= 0).all()


def test_an_image_has_no_say_in_its_own_probability():
    dataset, vectors = _dataset()
    kernels = Kernels(vectors, "mine", True)
    table = label_probabilities(cross_validate_values(kernels, dataset.valued).folds, dataset)
    test = next(iter(dataset.folds))[1]
    dataset.positives[test] = ~dataset.positives[test]
    vars(dataset).pop("valued")
    again = label_probabilities(cross_validate_values(kernels, dataset.valued).folds, dataset)
    np.testing.assert_allclose(again[test], table[test], atol=1e-6)


def test_constant_vectors_give_the_share_of_the_training_part():
    dataset, _ = _dataset()
    table = label_probabilities((), dataset)
    for train, test in dataset.folds:
        assert table[test] == pytest.approx(
            np.broadcast_to(dataset.positives[train].mean(0), (len(test), 3))
        )
