"""The ridge against a refit without each group, in double precision."""

import numpy as np
import pytest

from imrep.estimators.cholesky import Factored
from imrep.estimators.kernels import KERNELS, Kernels
from imrep.estimators.ridge import Decomposed
from imrep.estimators.selection import choose
from imrep.estimators.targets import Targets

TOLERANCE = {  # at 1e-3, 1e-1 and 3 times the mean eigenvalue
    "linear": (None, 5e-3, 3e-4),
    "gaussian": (2e-2, 2e-3, 1e-4),
    "exponential": (3e-4, 3e-4, 1e-4),
}


def gaussian_classes(sizes=(30, 30, 30), d=12, apart=1.0, seed=0):
    """Vectors of Gaussian classes in random order, and their labels."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    z = rng.normal(size=(len(labels), d)) + apart * rng.normal(size=(len(sizes), d))[labels]
    order = rng.permutation(len(labels))
    return z[order].astype(np.float32), labels[order]


def refit(kernel, cross, targets, weight, penalty):
    """Weighted kernel ridge with an unpenalised intercept: its linear system written out."""
    n = len(kernel)
    system = np.zeros((n + 1, n + 1))
    system[:n, :n] = kernel + penalty * np.diag(1 / weight)
    system[:n, n] = system[n, :n] = 1
    solved = np.linalg.solve(system, np.concatenate([targets, np.zeros((1, targets.shape[1]))]))
    return cross @ solved[:n] + solved[n]


def problem(kernel, size=2, train=120):
    z, labels = gaussian_classes((70, 50, 30), d=40, apart=0.5)
    matrix = Kernels(z, "it").block(kernel, np.arange(150), np.arange(150))
    targets = Targets.of(labels[:train], np.arange(train) // size, 3)
    return matrix, targets


@pytest.mark.parametrize("size", [1, 2, 3, 20])
@pytest.mark.parametrize("kernel", KERNELS)
def test_leaving_out_equals_refitting(kernel, size):
    matrix, targets = problem(kernel, size)
    inner = matrix[:120, :120]
    fit = Decomposed.of(inner, targets)
    weight = targets.root**2
    for multiple, tolerance in zip((1e-3, 1e-1, 3), TOLERANCE[kernel], strict=True):
        if tolerance is None:
            continue
        penalty = multiple * fit.unit
        left_out = fit.left_out(penalty)
        for group in np.unique(targets.groups):
            out = targets.groups == group
            exact = inner.astype(np.float64)
            expected = refit(
                exact[np.ix_(~out, ~out)],
                exact[np.ix_(out, ~out)],
                targets.values[~out],
                weight[~out],
                penalty,
            )
            np.testing.assert_allclose(left_out[out], expected, atol=tolerance)


@pytest.mark.parametrize("kernel", KERNELS)
def test_scores_equal_the_linear_system(kernel):
    matrix, targets = problem(kernel)
    inner, cross = matrix[:120, :120], matrix[120:, :120]
    fit = Decomposed.of(inner, targets)
    for multiple in (1e-1, 3):
        penalty = multiple * fit.unit
        exact = inner.astype(np.float64), cross.astype(np.float64)
        expected = refit(*exact, targets.values, targets.root**2, penalty)
        dual, intercept = fit.coefficients(penalty)
        np.testing.assert_allclose(cross @ dual + intercept, expected, atol=2e-3)


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("kernel", KERNELS)
def test_a_cholesky_factor_gives_the_same(kernel, size):
    matrix, targets = problem(kernel, size)
    inner, cross = matrix[:120, :120], matrix[120:, :120]
    fit = Decomposed.of(inner, targets)
    penalty = 0.3 * fit.unit
    factored = Factored.of(inner.copy(), penalty, targets)
    dual, intercept = fit.coefficients(penalty)
    scores = cross @ factored.alpha + factored.intercept
    np.testing.assert_allclose(scores, cross @ dual + intercept, atol=1e-3)
    np.testing.assert_allclose(factored.left_out(), fit.left_out(penalty), atol=2e-3)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("rank", ["one differs", "rank one"])
def test_a_code_of_rank_one_gives_numbers(kernel, rank):
    z = np.zeros((60, 8), np.float32)
    if rank == "one differs":
        z[7] = 1
    else:
        z = np.outer(np.random.default_rng(0).normal(size=60), np.ones(8)).astype(np.float32)
    labels = np.arange(60) % 3
    kernels = Kernels(z, "it")
    choice = choose(kernels, np.arange(50), Targets.of(labels[:50], np.arange(50), 3), kernel)
    cross = kernels.block(kernel, np.arange(50, 60), np.arange(50))
    assert np.isfinite(choice.loss)
    dual, intercept = choice.fit.coefficients(choice.penalty)
    assert np.isfinite(cross @ dual + intercept).all()
    assert np.isfinite(choice.fit.left_out(choice.penalty)).all()


def test_copies_do_not_collapse_the_penalty():
    """With each image there twice, only leaving out both keeps the penalty where it was."""
    z, labels = gaussian_classes((40, 40, 40), d=100, apart=0.3)
    noise = 0.01 * np.random.default_rng(1).normal(size=z.shape)
    twice = np.concatenate([z, z + noise.astype(np.float32)])

    def chosen(x, y, groups):
        choice = choose(
            Kernels(x, "it"), np.arange(len(x)), Targets.of(y, groups, 3), "exponential"
        )
        return choice.penalty / choice.fit.unit

    doubled = np.concatenate([labels, labels])
    clean = chosen(z, labels, np.arange(120))
    assert chosen(twice, doubled, np.arange(240)) < 0.1 * clean
    assert 0.1 < chosen(twice, doubled, np.tile(np.arange(120), 2)) / clean < 10


@pytest.mark.parametrize("kernel", KERNELS)
def test_without_a_group_of_all_the_mean_is_predicted(kernel):
    """As where a learning curve draws a few images, and all are of one group."""
    for labels in ([0, 1], [0, 1, 1], [0, 0, 1, 2]):
        z = np.random.default_rng(len(labels)).normal(size=(len(labels), 5)).astype(np.float32)
        every = np.arange(len(labels))
        targets = Targets.of(np.array(labels), np.zeros(len(labels), int), max(labels) + 1)
        fit = Decomposed.of(Kernels(z, "it").block(kernel, every, every), targets)
        for multiple in (1e-3, 0.1, 1.0, 30.0):
            left_out = fit.left_out(multiple * fit.unit)
            assert left_out.shape == targets.values.shape and (left_out == targets.mean).all()
