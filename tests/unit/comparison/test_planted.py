"""Labels changed on purpose: which, and how the judge sees them."""

from types import SimpleNamespace

import numpy as np
import pytest

from imrep.comparison.data import folds
from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.probes import planted
from imrep.comparison.probes.classifier import cross_validate
from imrep.comparison.probes.combination import combine
from imrep.estimators.kernels import Kernels

N, COUNT = 120, 3
LABELS, GROUPS = np.arange(N) % COUNT, np.arange(N)
DATASET = LabelledDataset(
    rows=np.arange(N),
    labels=LABELS,
    classes=("a", "b", "c"),
    groups=GROUPS,
    folds=folds.split(LABELS, GROUPS),
    seed=0,
)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path))


def candidate(name, signal=2.0, seed=0):
    """A stand-in for an encoded candidate that counts how often its kernels are asked for."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(N, 8)) + signal * rng.normal(size=(COUNT, 8))[LABELS]
    each = SimpleNamespace(parts=(SimpleNamespace(key=name),), calls=0)

    def views(dataset):
        each.calls += 1
        return Kernels(vectors.astype(np.float32), name)

    each.views = views
    return each


def probabilities(parts, changed, weighted=True, steps=None):
    def progress(*step):
        if steps is not None:
            steps.append(step)

    return planted.label_probabilities(
        parts, DATASET, changed, weighted=weighted, progress=progress
    )


def test_three_in_a_hundred_labels_change_in_each_draw_and_all_change_class():
    labels = np.arange(500) % 7
    changed = planted.plant(labels, seed=3)
    assert changed.images.shape == (5, 15) and changed.changed == 15
    for draw, (images, own) in enumerate(zip(*changed, strict=True)):
        assert set(np.flatnonzero(own != labels)) == set(images)
        rng = np.random.default_rng(3 + 100 + draw)
        np.testing.assert_array_equal(images, rng.choice(500, 15, replace=False))
        np.testing.assert_array_equal(own[images], (labels[images] + rng.integers(1, 7, 15)) % 7)
    assert planted.plant(np.arange(60) % 3, seed=0).changed == 5


@pytest.mark.parametrize("weighted", [True, False])
def test_changed_labels_are_improbable_and_the_others_are_not(weighted):
    changed = planted.plant(LABELS, 0)
    table = probabilities([candidate("x"), candidate("y", seed=1)], changed, weighted)
    own = np.take_along_axis(table, changed.images, 1)
    assert np.median(own) < 0.1 < 0.8 < np.median(table)
    assert table.shape == (5, N) and (table >= 0).all() and (table <= 1).all()


def test_a_draw_without_changes_is_judged_as_the_given_labels_are():
    parts = [candidate("x", 0.8), candidate("y", 0.8, seed=1)]
    same = planted.Planted(np.zeros((1, 1), int), LABELS[None])
    judged = [
        cross_validate(part.views(DATASET), LABELS, GROUPS, DATASET.folds).folds for part in parts
    ]
    expected = combine(judged, LABELS, GROUPS, DATASET.folds).probabilities[np.arange(N), LABELS]
    np.testing.assert_allclose(probabilities(parts, same)[0], expected, atol=1e-3)


def test_each_fold_is_stored_and_told_of():
    parts, changed, steps = [candidate("x")], planted.plant(LABELS, 0), []
    first = probabilities(parts, changed, steps=steps)
    assert [step[1:] for step in steps] == [(fold, 5) for fold in range(6)]
    again = probabilities(parts, changed)
    np.testing.assert_array_equal(first, again)
    assert parts[0].calls == 1
    probabilities(parts, planted.plant(LABELS, 1))
    assert parts[0].calls == 2


def test_from_constant_vectors_every_class_is_as_probable():
    part = candidate("x")
    part.views = lambda dataset: Kernels(np.ones((N, 4), np.float32), "x")
    np.testing.assert_allclose(probabilities([part], planted.plant(LABELS, 0)), 1 / 3)
