"""Several labellings at once against each of them fitted by itself."""

import numpy as np
import pytest

from imrep.estimators import model, relabelled, selection
from imrep.estimators.discriminant import finish
from imrep.estimators.kernels import Kernels
from imrep.estimators.targets import Targets, side_by_side


def problem(n=90, count=3, d=6, seed=0):
    """Kernels of Gaussian classes, and targets with every third image in a group with the next."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % count
    vectors = rng.normal(size=(n, d)) + 1.5 * rng.normal(size=(count, d))[labels]
    groups = np.arange(n) - (np.arange(n) % 3 == 1)
    return Kernels(vectors.astype(np.float32), "it"), Targets.of(labels, groups, count)


def planted(classes, count=3, draws=3):
    """Labellings with five labels changed."""
    labellings = []
    for draw in range(draws):
        changed = classes.copy()
        rows = np.random.default_rng(draw).choice(len(classes), 5, replace=False)
        changed[rows] = (changed[rows] + 1) % count
        labellings.append(changed)
    return labellings


@pytest.fixture(params=["decomposed", "refitted", "factored"])
def route(request, monkeypatch):
    """The three ways to solve the ridge, at a small size."""
    limits = {"decomposed": (440, 1280), "refitted": (40, 1280), "factored": (40, 50)}
    smallest, largest = limits[request.param]
    monkeypatch.setattr(model, "ALL_IMAGES", smallest)
    for module in (model, relabelled):
        monkeypatch.setattr(module, "MAX_DECOMPOSED", largest)
    monkeypatch.setattr(model, "_SUBSET", 45)
    monkeypatch.setattr(selection, "_MIN_SUBSET", 45)
    monkeypatch.setattr(selection, "_MAX_SUBSET", 45)


def assert_same(first, second):
    assert first.kernel == second.kernel
    assert first.penalty == pytest.approx(second.penalty, rel=1e-6)
    for name in ("dual", "intercept", "left_out"):
        np.testing.assert_allclose(getattr(first, name), getattr(second, name), atol=2e-3)


@pytest.mark.usefixtures("route")
def test_the_given_labels_give_the_model_of_fit():
    kernels, targets = problem()
    images = np.arange(90)
    (own,) = relabelled.fit_each(kernels, images, targets, [targets.classes])
    assert_same(own, model.fit(kernels, images, targets).best)


@pytest.mark.usefixtures("route")
def test_labellings_do_not_influence_each_other():
    kernels, targets = problem()
    images, labellings = np.arange(90), planted(targets.classes)
    together = relabelled.fit_each(kernels, images, targets, labellings)
    alone = [relabelled.fit_each(kernels, images, targets, [each])[0] for each in labellings]
    assert len(together) == 3
    for first, second in zip(together, alone, strict=True):
        assert_same(first, second)
    assert not np.allclose(together[0].left_out, together[1].left_out, atol=2e-3)


def test_changed_labels_keep_the_weights_of_the_given_ones():
    labels = np.array([0, 0, 0, 1, 1, 2])
    given = Targets.of(labels, np.arange(6), 3)
    changed = given.relabelled(np.array([0, 0, 1, 1, 1, 2]))
    np.testing.assert_array_equal(changed.share, given.share)
    np.testing.assert_array_equal(changed.root, given.root)
    np.testing.assert_array_equal(changed.values[2], [-1, 1, -1])
    subset = changed.take(np.array([0, 2, 3, 5]))
    np.testing.assert_allclose(subset.share, given.take(np.array([0, 2, 3, 5])).share)
    np.testing.assert_array_equal(subset.classes, [0, 1, 1, 2])


def test_labellings_stand_side_by_side():
    given = Targets.of(np.array([0, 1, 1]), np.arange(3), 2)
    changed = given.relabelled(np.array([1, 1, 1]))
    joined = side_by_side([given, changed])
    np.testing.assert_array_equal(joined.values, np.hstack([given.values, changed.values]))
    np.testing.assert_array_equal(joined.root, given.root)


def test_a_discriminant_takes_changed_labels():
    _, targets = problem()
    changed = targets.relabelled(planted(targets.classes)[0])
    scores = changed.values + np.random.default_rng(0).normal(size=changed.values.shape)
    assert np.isfinite(finish(scores, scores[:4], changed).test).all()
