"""The ridge solver against normal equations written out, refitted without each group."""

import numpy as np
import pytest

from imrep.comparison.probes import ridge


def gaussian_classes(sizes=(30, 30, 30), d=12, apart=1.0, seed=0):
    """Vectors of Gaussian classes in random order, and their labels."""
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


@pytest.mark.parametrize("space", ["dual", "primal"])
@pytest.mark.parametrize("size", [1, 2, 3, 20])
def test_leaving_out_equals_refitting(space, size):
    z, labels = gaussian_classes((30, 20, 10))
    groups = np.arange(60) // size
    x = z / np.linalg.norm(z, axis=1, keepdims=True)
    targets = ridge.Targets.of(labels, groups, 3)
    weight = targets.root.astype(float) ** 2
    centred = (x - targets.share @ x) * targets.root[:, None]
    if space == "dual":
        e, u = ridge._eigen(centred @ centred.T)
        rotated = u * np.sqrt(e)
    else:
        e, u = ridge._eigen(centred.T @ centred)
        rotated = centred.astype(np.float32) @ u
    for penalty in (0.1, 1.0, 10.0):
        found = ridge.leave_out(ridge.Rotated.of(rotated, e, targets), penalty, targets)
        for group in np.unique(groups):
            out = groups == group
            expected = refit(x[~out], targets.values[~out], weight[~out], penalty, x[out])
            np.testing.assert_allclose(found[out], expected, atol=1e-4)


def test_scores_equal_the_normal_equations():
    z, labels = gaussian_classes((30, 20, 10))
    x, asked = z[:45], z[45:]
    targets = ridge.Targets.of(labels[:45], np.arange(45), 3)
    weight = targets.root**2
    centred = (x - targets.share @ x) * targets.root[:, None]
    expected = refit(x, targets.values, weight, (centred**2).sum() / 45, asked)
    for found in (
        ridge.solve_dual(x @ x.T, asked @ x.T, targets, tuned=False),
        ridge.solve_primal(x, asked, targets, tuned=False),
    ):
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_weights_leave_balanced_data_unchanged():
    targets = ridge.Targets.of(np.repeat(np.arange(4), 10), np.arange(40), 4)
    np.testing.assert_allclose(targets.root, 1)
    np.testing.assert_allclose(targets.share, 1 / 40)


def test_weights_make_classes_equal():
    targets = ridge.Targets.of(np.repeat([0, 1, 3], [80, 10, 5]), np.arange(95), 4)
    np.testing.assert_allclose(
        np.bincount(targets.classes, targets.share), [1 / 3, 1 / 3, 0, 1 / 3]
    )


def test_copies_do_not_collapse_the_penalty():
    """With each image there twice, only leaving out both keeps the penalty where it was."""
    z, labels = gaussian_classes((40, 40, 40), d=100, apart=0.3)
    rng = np.random.default_rng(1)
    twice = np.concatenate([z, z + 0.01 * rng.normal(size=z.shape).astype(np.float32)])
    doubled = np.concatenate([labels, labels])

    def chosen(x, y, groups):
        x = x - x.mean(0)
        targets = ridge.Targets.of(y, groups, 3)
        e, u = ridge._eigen(x @ x.T / len(x))
        return (
            ridge._penalty(ridge.Rotated.of(u * np.sqrt(e), e, targets), targets, True) / e.mean()
        )

    clean = chosen(z, labels, np.arange(120))
    apart = chosen(twice, doubled, np.arange(240))
    whole = chosen(twice, doubled, np.tile(np.arange(120), 2))
    assert apart < 0.1 * clean
    assert 0.1 < whole / 2 / clean < 10  # half as many directions carry the same trace
