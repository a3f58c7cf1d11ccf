"""Predictions of the probe and the neighbours on simulated and real data sets."""

import numpy as np
import pytest

from imrep.comparison.data import folds
from imrep.comparison.probes import classifier
from imrep.errors import BadData
from imrep.estimators import model
from imrep.estimators.kernels import Kernels


def gaussian_classes(sizes=(30, 30, 30), d=12, apart=1.0, seed=0):
    """Vectors of Gaussian classes in random order, and their labels."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    z = rng.normal(size=(len(labels), d)) + apart * rng.normal(size=(len(sizes), d))[labels]
    order = rng.permutation(len(labels))
    return z[order].astype(np.float32), labels[order]


def cross_validated(z, labels, groups=None):
    groups = np.arange(len(labels)) if groups is None else groups
    parts = folds.split(labels, groups)
    return classifier.cross_validate(Kernels(z, "it"), labels, groups, parts)


def test_kernels_computed_block_by_block_predict_the_same():
    z, labels = gaussian_classes((40, 40, 40), d=30, apart=0.5)
    groups = np.arange(120) // 2
    parts = folds.split(labels, groups)
    stored, computed = (
        classifier.cross_validate(Kernels(z, "it", stored), labels, groups, parts)
        for stored in (True, False)
    )
    for name in ("probe", "linear", "knn", "by"):
        np.testing.assert_array_equal(getattr(stored, name), getattr(computed, name))


def test_a_cholesky_factor_predicts_the_same(monkeypatch):
    z, labels = gaussian_classes((60, 60, 60), d=30, apart=0.5)
    groups = np.arange(180) // 2
    parts = folds.split(labels, groups)
    decomposed = classifier.cross_validate(Kernels(z, "it"), labels, groups, parts)
    monkeypatch.setattr(model, "MAX_DECOMPOSED", 0)
    factored = classifier.cross_validate(Kernels(z, "it", False), labels, groups, parts)
    np.testing.assert_array_equal(decomposed.probe, factored.probe)
    np.testing.assert_array_equal(decomposed.linear, factored.linear)
    for one, other in zip(decomposed.folds, factored.folds, strict=True):
        np.testing.assert_allclose(one.left_out, other.left_out, atol=2e-3)
        np.testing.assert_allclose(one.scores, other.scores, atol=2e-3)


def test_large_training_parts_are_cut(monkeypatch):
    monkeypatch.setattr(classifier, "MAX_TRAIN", 60)
    z, labels = gaussian_classes((50, 50, 50), apart=2)
    found = cross_validated(z, labels)
    assert all(60 <= len(scores.train) < 70 for scores in found.folds)
    assert sum(len(scores.test) for scores in found.folds) == 150
    assert found.accuracy(labels) > 0.9


def test_a_class_between_two_others_is_named():
    """Regression on one-hot targets masks it by a linear kernel; the kernels or the discriminant
    do not."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 60)
    z = (3.0 * labels[:, None] + rng.normal(size=(180, 1))).astype(np.float32)
    z = np.concatenate([z, rng.normal(size=(180, 4)).astype(np.float32)], 1)
    found = cross_validated(z, labels)
    assert (found.probe[labels == 1] == 1).mean() > 0.6


def test_rare_class_is_recalled():
    """At 80 : 10 an unweighted probe loses 9-17 points; here both classes fare alike."""
    z, labels = gaussian_classes((160, 20), d=5, apart=0.8, seed=3)
    found = cross_validated(z, labels)
    recall = [(found.probe[labels == c] == c).mean() for c in (0, 1)]
    assert abs(recall[0] - recall[1]) < 0.2


@pytest.mark.parametrize("value", [0.0, 0.7])
def test_constant_vectors_predict_one_class(value):
    labels = np.repeat(np.arange(4), [10, 20, 30, 40])
    found = cross_validated(np.full((100, 8), value, np.float32), labels)
    assert found.note == "constant"
    for predicted in (found.probe, found.knn):
        assert classifier.balanced_accuracy(predicted == labels, labels) == 0.25


def test_constant_fold_is_noted():
    z, labels = gaussian_classes((20, 20), apart=3)
    groups = np.arange(40)
    parts = folds.split(labels, groups)
    views = [Kernels(z, "it") for _ in range(5)]
    views[2] = Kernels(np.ones_like(z), "it")
    found = classifier.cross_validate(views, labels, groups, parts)
    assert found.note == "constant in 1 of 5 folds"
    assert (found.probe[parts.assignment == 2] == 0).all()
    assert (found.probe == labels)[parts.assignment != 2].mean() > 0.9


def test_each_fold_may_have_vectors_of_its_own():
    """The class is readable only in the view that was fitted for the fold."""
    z, labels = gaussian_classes((20, 20), apart=4)
    groups = np.arange(40)
    parts = folds.split(labels, groups)
    rng = np.random.default_rng(0)
    fitted = [Kernels(z @ rng.normal(size=(12, 12)).astype(np.float32), "it") for _ in range(5)]
    shared = classifier.cross_validate(Kernels(z, "it"), labels, groups, parts)
    own = classifier.cross_validate(fitted, labels, groups, parts)
    assert (own.probe == labels).mean() > 0.9
    assert (shared.probe == labels).mean() > 0.9
    again = classifier.cross_validate([Kernels(z, "it")] * 5, labels, groups, parts)
    assert (again.probe == shared.probe).all()


def test_order_of_images_changes_nothing():
    z, labels = gaussian_classes((30, 30), apart=0.4)
    parts = folds.split(labels, np.arange(60))
    found = classifier.cross_validate(Kernels(z, "it"), labels, np.arange(60), parts)
    turned = folds.Folds(parts.assignment[::-1], parts.k, ())
    other = classifier.cross_validate(
        Kernels(z[::-1], "it"), labels[::-1], np.arange(60)[::-1], turned
    )
    assert (found.probe == other.probe[::-1]).all()


def test_class_absent_from_training_is_never_predicted():
    z, labels = gaussian_classes((20, 20, 4), apart=3)
    parts = folds.Folds(np.where(labels == 2, 0, np.arange(44) % 5), 5, (2,))
    found = classifier.cross_validate(Kernels(z, "it"), labels, np.arange(44), parts)
    assert not (found.probe[labels == 2] == 2).any()


def test_score_that_is_no_number_is_an_error():
    with pytest.raises(BadData, match="finite scores"):
        classifier.predicted_class(np.array([[0.1, np.nan]]))


def test_large_data_sets_query_a_sample(monkeypatch):
    monkeypatch.setattr(classifier, "_MAX_QUERIES", 60)
    monkeypatch.setattr(classifier, "_BATCH", 7)
    z, labels = gaussian_classes((50, 50, 50), apart=2)
    groups = np.arange(150)
    parts = folds.split(labels, groups)
    found = classifier.cross_validate(Kernels(z, "it"), labels, groups, parts)
    assert np.bincount(labels[found.queried]).tolist() == [20, 20, 20]
    assert (found.knn == labels)[found.queried].mean() > 0.9


def test_balanced_counts_classes_not_images():
    assert classifier.balanced_accuracy(np.array([1, 1, 1, 0]), np.array([0, 0, 0, 1])) == 0.5


def real_folder(folder):
    """Images of a class folder at 64 × 64, and their labels."""
    from PIL import Image

    paths = sorted(p for p in folder.rglob("*") if p.suffix in {".jpg", ".png"})
    images = [np.asarray(Image.open(p).convert("RGB").resize((64, 64))) for p in paths]
    return np.stack(images), np.unique([p.parent.name for p in paths], return_inverse=True)[1]


def pixels(images):
    return images.reshape(len(images), 32, 2, 32, 2, 3).mean((2, 4)).reshape(len(images), -1) / 255


def histogram(images):
    cell = (images // 32) @ np.array([64, 8, 1])
    return np.sqrt([np.bincount(row, minlength=512) / 4096 for row in cell.reshape(len(cell), -1)])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "codes", "linear", "near"),
    [
        ("cifar10", pixels, 33.5, 30.5),
        ("cifar10", histogram, 29.1, 27.7),
        ("eurosat", pixels, 34.2, 32.0),
        ("eurosat", histogram, 62.7, 65.2),
        ("mnist", pixels, 83.2, 89.8),
    ],
)
def test_real_data_sets_score_as_measured(shared_data, name, codes, linear, near):
    """Within three points of a prototype that decoded and pooled on its own."""
    images, labels = real_folder(shared_data / "classification" / name)
    found = cross_validated(codes(images).astype(np.float32), labels)
    assert 100 * found.linear_accuracy(labels) == pytest.approx(linear, abs=3)
    assert 100 * found.knn_accuracy(labels) == pytest.approx(near, abs=3)
