"""More labels help, draws are shared, no test image shares a group with training."""

import numpy as np

from imrep.comparison.data import folds
from imrep.comparison.probes import learning_curve
from imrep.estimators.kernels import Kernels


def folder(per_class=40, apart=0.7):
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), per_class)
    z = rng.normal(size=(len(labels), 10)) + apart * rng.normal(size=(4, 10))[labels]
    return z.astype(np.float32), labels, np.arange(len(labels))


def needed(z, labels, groups):
    parts = folds.split(labels, groups)
    return learning_curve.learning_curve([Kernels(z, "it")], labels, groups, parts)


def test_more_labels_help():
    points = needed(*folder())
    assert [p.labels for p in points] == [1, 2, 5, 10, 20]  # 50 would need 80 images a class
    assert points[-1].accuracy > points[0].accuracy + 0.1
    assert all(p.low <= p.accuracy <= p.high for p in points)


def test_smallest_class_sets_the_end():
    z, labels, groups = folder()
    keep = np.concatenate([np.arange(7), np.arange(40, 160)])
    assert [p.labels for p in needed(z[keep], labels[keep], groups[keep])] == [1, 2]


def test_few_labels_are_part_of_more():
    labels, pool = np.repeat(np.arange(3), 20), np.arange(5, 60)
    few, more = (
        learning_curve._labelled(pool, labels, m, np.random.default_rng(0)) for m in (2, 10)
    )
    assert np.bincount(labels[few]).tolist() == [2, 2, 2]
    assert np.bincount(labels[more]).tolist() == [10, 10, 10]
    assert np.isin(few, more).all()
    assert np.isin(more, pool).all()


def test_small_class_gives_all_its_images():
    labels = np.repeat([0, 1], [20, 3])
    some = learning_curve._labelled(np.arange(23), labels, 10, np.random.default_rng(0))
    assert np.bincount(labels[some]).tolist() == [10, 3]


def test_duplicates_do_not_help():
    """Pure noise with each image there twice: neighbours in training would give it away."""
    rng = np.random.default_rng(0)
    z = np.repeat(rng.normal(size=(80, 200)), 2, axis=0).astype(np.float32)
    labels, groups = np.repeat(np.arange(4), 40), np.arange(160) // 2
    assert needed(z, labels, groups)[-1].accuracy < 0.4
    assert needed(z, labels, np.arange(160))[-1].accuracy > 0.5


def test_constant_vectors_score_chance():
    z, labels, groups = folder()
    assert {p.accuracy for p in needed(np.ones_like(z), labels, groups)} == {0.25}


def test_two_folds_have_five_draws_too():
    z, labels, _ = folder()
    groups = 2 * labels + np.arange(160) % 2
    points = needed(z, labels, groups)
    assert [p.labels for p in points] == [1, 2, 5, 10, 20]
    assert points[-1].accuracy > 0.4


def test_same_seed_same_curve():
    assert needed(*folder()) == needed(*folder())


def test_of_a_sum_the_scores_of_its_parts_are_weighed():
    """A part of noise takes nothing from the other, where weights can be fitted."""
    z, labels, groups = folder()
    parts = folds.split(labels, groups)
    noise = np.random.default_rng(1).normal(size=z.shape).astype(np.float32)
    alone, both = (
        learning_curve.learning_curve([Kernels(x, "it") for x in each], labels, groups, parts)
        for each in ([z], [z, noise])
    )
    assert [p.labels for p in alone] == [p.labels for p in both]
    for one, other in zip(alone[2:], both[2:], strict=True):
        assert abs(one.accuracy - other.accuracy) < 0.06


def test_a_constant_part_of_a_sum_changes_nothing():
    z, labels, groups = folder(per_class=20)
    parts = folds.split(labels, groups)
    alone, both = (
        learning_curve.learning_curve([Kernels(x, "it") for x in each], labels, groups, parts)
        for each in ([z], [np.ones_like(z), z])
    )
    assert alone == both
