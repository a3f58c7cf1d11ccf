"""The probe against ridge regression written out, refitted without each group."""

import numpy as np
import pytest

from imrep.comparison.data import folds
from imrep.comparison.probes import kernel_matrix, ridge
from imrep.errors import BadData


def folder(sizes=(30, 30, 30), d=12, apart=1.0, seed=0):
    """Gaussian classes; returns codes, labels."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    z = rng.normal(size=(len(labels), d)) + apart * rng.normal(size=(len(sizes), d))[labels]
    order = rng.permutation(len(labels))
    return z[order].astype(np.float32), labels[order]


def refit(x, targets, weight, penalty, asked):
    """Weighted ridge with an unpenalised intercept by the normal equations."""
    a = np.concatenate([x, np.ones((len(x), 1))], 1)
    ridge = penalty * np.eye(a.shape[1])
    ridge[-1, -1] = 0
    beta = np.linalg.solve(a.T @ (weight[:, None] * a) + ridge, a.T @ (weight[:, None] * targets))
    return np.concatenate([asked, np.ones((len(asked), 1))], 1) @ beta


def cross_validated(z, labels, groups=None):
    groups = np.arange(len(labels)) if groups is None else groups
    parts = folds.split(labels, groups)
    return ridge.cross_validate([kernel_matrix.gram(z, "it")], labels, groups, parts)


@pytest.mark.parametrize("space", ["dual", "primal"])
@pytest.mark.parametrize("size", [1, 2, 3, 20])
def test_leaving_out_equals_refitting(space, size):
    z, labels = folder((30, 20, 10))
    groups = np.arange(60) // size
    x = z / np.linalg.norm(z, axis=1, keepdims=True)
    task = ridge.Task.of(labels, groups, 3)
    weight = task.root.astype(float) ** 2
    centred = (x - task.share @ x) * task.root[:, None]
    if space == "dual":
        e, u = ridge._eigen(centred @ centred.T)
        rotated = u * np.sqrt(e)
    else:
        e, u = ridge._eigen(centred.T @ centred)
        rotated = centred.astype(np.float32) @ u
    for penalty in (0.1, 1.0, 10.0):
        found = ridge.leave_out(ridge.Rotated.of(rotated, e, task), penalty, task)
        for group in np.unique(groups):
            out = groups == group
            expected = refit(x[~out], task.targets[~out], weight[~out], penalty, x[out])
            np.testing.assert_allclose(found[out], expected, atol=1e-4)


def test_scores_equal_the_normal_equations():
    z, labels = folder((30, 20, 10))
    x, asked = z[:45], z[45:]
    task = ridge.Task.of(labels[:45], np.arange(45), 3)
    weight = task.root**2
    centred = (x - task.share @ x) * task.root[:, None]
    expected = refit(x, task.targets, weight, (centred**2).sum() / 45, asked)
    for found in (
        ridge.solve_dual(x @ x.T, asked @ x.T, task, tuned=False),
        ridge.solve_primal(x, asked, task, tuned=False),
    ):
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_gram_wise_predictions_equal_feature_wise(monkeypatch):
    z, labels = folder((40, 40, 40), d=30, apart=0.5)
    groups = np.arange(120) // 2
    parts = folds.split(labels, groups)
    by_gram = ridge.cross_validate([kernel_matrix.gram(z, "it")], labels, groups, parts)
    monkeypatch.setattr(ridge, "DUAL", 0)
    by_feature = ridge.cross_validate([kernel_matrix.coordinates(z, "it")], labels, groups, parts)
    assert (by_gram.probe == by_feature.probe).all()
    assert (by_gram.knn == by_feature.knn).all()


def test_neighbours_equal_a_loop():
    rng = np.random.default_rng(0)
    cosines, classes = rng.uniform(-1, 1, (7, 50)), rng.integers(0, 4, 50)
    expected = np.zeros((7, 4))
    for q in range(7):
        for i in np.argsort(-cosines[q])[:20]:
            expected[q, classes[i]] += np.exp(cosines[q, i] / 0.07)
    np.testing.assert_allclose(
        ridge.neighbours(cosines, classes, 4), expected / np.bincount(classes), rtol=1e-10
    )


def test_few_images_have_half_as_many_neighbours():
    votes = ridge.neighbours(np.array([[0.9, 0.8, 0.1, 0.0]]), np.array([0, 0, 1, 1]), 3)
    assert votes[0, 0] > 0
    assert votes[0, 1] == votes[0, 2] == 0


def test_weights_leave_balanced_data_unchanged():
    task = ridge.Task.of(np.repeat(np.arange(4), 10), np.arange(40), 4)
    np.testing.assert_allclose(task.root, 1)
    np.testing.assert_allclose(task.share, 1 / 40)


def test_weights_make_classes_equal():
    task = ridge.Task.of(np.repeat([0, 1, 3], [80, 10, 5]), np.arange(95), 4)
    np.testing.assert_allclose(np.bincount(task.classes, task.share), [1 / 3, 1 / 3, 0, 1 / 3])


def test_rare_class_is_found():
    """At 80 : 10 an unweighted probe loses 9-17 points; here both classes fare alike."""
    z, labels = folder((160, 20), d=5, apart=0.8, seed=3)
    found = cross_validated(z, labels)
    recall = [(found.probe[labels == c] == c).mean() for c in (0, 1)]
    assert abs(recall[0] - recall[1]) < 0.2


def test_copies_do_not_collapse_the_penalty():
    """With each image there twice, only leaving out both keeps the penalty where it was."""
    z, labels = folder((40, 40, 40), d=100, apart=0.3)
    rng = np.random.default_rng(1)
    twice = np.concatenate([z, z + 0.01 * rng.normal(size=z.shape).astype(np.float32)])
    doubled = np.concatenate([labels, labels])

    def chosen(x, y, groups):
        x = x - x.mean(0)
        task = ridge.Task.of(y, groups, 3)
        e, u = ridge._eigen(x @ x.T / len(x))
        return ridge._penalty(ridge.Rotated.of(u * np.sqrt(e), e, task), task, True) / e.mean()

    clean = chosen(z, labels, np.arange(120))
    apart = chosen(twice, doubled, np.arange(240))
    whole = chosen(twice, doubled, np.tile(np.arange(120), 2))
    assert apart < 0.1 * clean
    assert 0.1 < whole / 2 / clean < 10  # half as many directions carry the same trace


@pytest.mark.parametrize("value", [0.0, 0.7])
def test_constant_code_names_one_class(value):
    labels = np.repeat(np.arange(4), [10, 20, 30, 40])
    found = cross_validated(np.full((100, 8), value, np.float32), labels)
    assert found.note == "constant"
    for predicted in (found.probe, found.knn):
        assert ridge.balanced(predicted == labels, labels) == 0.25


def test_constant_fold_is_noted():
    z, labels = folder((20, 20), apart=3)
    groups = np.arange(40)
    parts = folds.split(labels, groups)
    views = [kernel_matrix.gram(z, "it") for _ in range(5)]
    views[2] = kernel_matrix.gram(np.ones_like(z), "it")
    found = ridge.cross_validate([views], labels, groups, parts)
    assert found.note == "constant in 1 of 5 folds"
    assert (found.probe[parts.assignment == 2] == 0).all()
    assert (found.probe == labels)[parts.assignment != 2].mean() > 0.9


def test_each_fold_may_have_codes_of_its_own():
    """The class is readable only in the view that was fitted for the fold."""
    z, labels = folder((20, 20), apart=4)
    groups = np.arange(40)
    parts = folds.split(labels, groups)
    rng = np.random.default_rng(0)
    fitted = [
        kernel_matrix.gram(z @ rng.normal(size=(12, 12)).astype(np.float32), "it") for _ in range(5)
    ]
    shared = ridge.cross_validate([kernel_matrix.gram(z, "it")], labels, groups, parts)
    own = ridge.cross_validate([fitted], labels, groups, parts)
    assert (own.probe == labels).mean() > 0.9
    assert (shared.probe == labels).mean() > 0.9
    again = ridge.cross_validate([[kernel_matrix.gram(z, "it")] * 5], labels, groups, parts)
    assert (again.probe == shared.probe).all()


def test_sum_sees_what_either_sees():
    """Two views, each blind to half of the classes."""
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(4), 30)
    one = (np.eye(2)[labels // 2] * 3 + rng.normal(size=(120, 2))).astype(np.float32)
    two = (np.eye(2)[labels % 2] * 3 + rng.normal(size=(120, 2))).astype(np.float32)
    groups = np.arange(120)
    parts = folds.split(labels, groups)
    a, b = kernel_matrix.gram(one, "a"), kernel_matrix.gram(two, "b")
    alone, both = (
        ridge.balanced(ridge.cross_validate(v, labels, groups, parts).probe == labels, labels)
        for v in ([a], [a, b])
    )
    assert alone < 0.6
    assert both > 0.85


def test_order_of_images_changes_nothing():
    z, labels = folder((30, 30), apart=0.4)
    parts = folds.split(labels, np.arange(60))
    found = ridge.cross_validate([kernel_matrix.gram(z, "it")], labels, np.arange(60), parts)
    turned = folds.Folds(parts.assignment[::-1], parts.k, ())
    other = ridge.cross_validate(
        [kernel_matrix.gram(z[::-1], "it")], labels[::-1], np.arange(60)[::-1], turned
    )
    assert (found.probe == other.probe[::-1]).all()


def test_class_absent_from_training_is_never_named():
    z, labels = folder((20, 20, 4), apart=3)
    parts = folds.Folds(np.where(labels == 2, 0, np.arange(44) % 5), 5, (2,))
    found = ridge.cross_validate([kernel_matrix.gram(z, "it")], labels, np.arange(44), parts)
    assert not (found.probe[labels == 2] == 2).any()


def test_score_that_is_no_number_is_an_error():
    with pytest.raises(BadData, match="finite scores"):
        ridge.largest(np.array([[0.1, np.nan]]))


def test_large_folders_ask_some_neighbours(monkeypatch):
    monkeypatch.setattr(ridge, "DUAL", 0)
    monkeypatch.setattr(ridge, "_QUERIES", 60)
    monkeypatch.setattr(ridge, "_AT_A_TIME", 7)
    z, labels = folder((50, 50, 50), apart=2)
    groups = np.arange(150)
    parts = folds.split(labels, groups)
    found = ridge.cross_validate([kernel_matrix.coordinates(z, "it")], labels, groups, parts)
    assert np.bincount(labels[found.asked]).tolist() == [20, 20, 20]
    assert (found.knn == labels)[found.asked].mean() > 0.9


def test_balanced_counts_classes_not_images():
    assert ridge.balanced(np.array([1, 1, 1, 0]), np.array([0, 0, 0, 1])) == 0.5


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
def test_real_folders_score_as_measured(shared_data, name, codes, linear, near):
    """Within three points of a prototype that decoded and pooled on its own."""
    images, labels = real_folder(shared_data / "classification" / name)
    found = cross_validated(codes(images).astype(np.float32), labels)
    assert 100 * ridge.balanced(found.probe == labels, labels) == pytest.approx(linear, abs=3)
    assert 100 * ridge.balanced(found.knn == labels, labels) == pytest.approx(near, abs=3)
