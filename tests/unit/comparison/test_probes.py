"""The judge on real images: laws that hold for any code, and accuracies that were measured."""

from functools import cache

import numpy as np
import pytest

from imrep import factory
from imrep.comparison.candidates import gather
from imrep.comparison.data import folds, source
from imrep.comparison.data.folds import Folds
from imrep.comparison.data.labelled_dataset import labelled
from imrep.comparison.probes.classifier import cross_validate
from imrep.comparison.settings import Inputs
from imrep.comparison.state import State
from imrep.datasets import builtin
from imrep.embedding import encode
from imrep.estimators import discriminant, model, selection
from imrep.estimators.kernels import KERNELS, Kernels
from imrep.estimators.ridge import Decomposed
from imrep.estimators.targets import Targets
from imrep.images import DEFAULT_READING

MULTIPLES = 1e-3, 1e-1, 3  # of the mean eigenvalue
TOLERANCE = {
    "linear": (None, 5e-3, 3e-4),
    "gaussian": (2e-2, 2e-3, 1e-4),
    "exponential": (3e-4, 3e-4, 1e-4),
}
CODES = "gradient", "hog", "dct"
SETS = {
    "dtd_a": None,
    "sign_digits": None,
    "caltech101_a": None,
    "eurosat": 500,
    "cifar10": 500,
    "mnist": 500,
}


@cache
def photographs():
    """Squares, labels and groups of the built-in photographs."""
    samples = builtin.photographs()
    squares = np.stack([np.repeat(sample.source.levels[..., None], 3, 2) for sample in samples])
    numbers = [
        np.unique(names, return_inverse=True)[1]
        for names in ([sample.label for sample in samples], [sample.group for sample in samples])
    ]
    return squares, *numbers


@cache
def vectors(spec):
    """Vectors of the built-in photographs."""
    return encode.embed(factory.get(spec), photographs()[0])


def judged(z, labels, groups, seed=0):
    parts = folds.split(labels, groups, seed)
    return cross_validate(Kernels(z, "it"), labels, groups, parts, seed)


def in_order(order, parts):
    """Folds of images that were put into another order."""
    return Folds(parts.assignment[order], parts.k, parts.together)


def refit(kernel, cross, values, weight, penalty):
    """Weighted kernel ridge with an unpenalised intercept: its linear system written out."""
    n = len(kernel)
    system = np.ones((n + 1, n + 1))
    system[:n, :n] = kernel + penalty * np.diag(1 / weight)
    system[n, n] = 0
    solved = np.linalg.solve(system, np.concatenate([values, np.zeros((1, values.shape[1]))]))
    return cross @ solved[:n] + solved[n]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("spec", CODES)
@pytest.mark.parametrize("alone", [True, False])
def test_leaving_out_equals_refitting_on_real_codes(spec, kernel, alone):
    _, labels, groups = photographs()
    train = np.flatnonzero(np.isin(groups, np.unique(groups)[::2]))
    own = np.arange(len(train)) if alone else groups[train]
    targets = Targets.of(labels[train], own, 10)
    inner = Kernels(vectors(spec), spec).block(kernel, train, train)
    fit, exact = Decomposed.of(inner, targets), inner.astype(np.float64)
    for multiple, tolerance in zip(MULTIPLES, TOLERANCE[kernel], strict=True):
        if tolerance is None:
            continue
        penalty = multiple * fit.unit
        left_out = fit.left_out(penalty)
        for group in np.unique(own)[::7]:
            out = own == group
            expected = refit(
                exact[np.ix_(~out, ~out)],
                exact[np.ix_(out, ~out)],
                targets.values[~out],
                targets.root[~out] ** 2,
                penalty,
            )
            np.testing.assert_allclose(left_out[out], expected, atol=tolerance)


@pytest.mark.parametrize("spec", CODES)
def test_the_linear_kernel_is_a_ridge_on_unit_vectors(spec):
    """Against scikit-learn's, on the features themselves."""
    from sklearn.linear_model import Ridge

    _, labels, _ = photographs()
    train, test = np.arange(0, 479, 2), np.arange(1, 479, 2)
    targets = Targets.of(labels[train], train, 10)
    kernels = Kernels(vectors(spec), spec)
    fit = Decomposed.of(kernels.block("linear", train, train), targets)
    penalty = 0.1 * fit.unit
    z = vectors(spec).astype(np.float64) - vectors(spec).mean(0, dtype=np.float64)
    length = (z**2).sum(1)
    z /= np.sqrt(length + 1e-6 * length.mean())[:, None]
    peer = Ridge(alpha=penalty, solver="svd")
    peer.fit(z[train], targets.values, sample_weight=targets.root**2)
    dual, intercept = fit.coefficients(penalty)
    scores = kernels.block("linear", test, train) @ dual + intercept
    np.testing.assert_allclose(scores, peer.predict(z[test]), atol=2e-3)


def test_weights_leave_balanced_classes_unchanged():
    targets = Targets.of(np.tile(np.arange(5), 12), np.arange(60), 5)
    np.testing.assert_array_equal(targets.root, 1)


@pytest.mark.parametrize(("spec", "least", "linear"), [("gradient", 70, 55), ("pixels", 60, 40)])
def test_kernels_name_photographs_that_a_linear_ridge_does_not(spec, least, linear):
    _, labels, groups = photographs()
    scores = judged(vectors(spec), labels, groups)
    assert 100 * scores.accuracy(labels) >= least
    assert 100 * scores.linear_accuracy(labels) <= linear


def test_a_masked_class_is_named_by_the_discriminant_or_the_kernels():
    """Three classes on a line: the score of the middle one is nowhere the largest."""
    labels = np.repeat(np.arange(3), 60)
    rng = np.random.default_rng(0)
    z = 3 * labels[:, None] * np.eye(17)[0] + rng.normal(size=(180, 17))
    kernels, parts = Kernels(z.astype(np.float32), "it"), folds.split(labels, np.arange(180))
    largest, discriminants = np.zeros_like(labels), np.zeros_like(labels)
    for train, test in parts:
        targets = Targets.of(labels[train], train, 3)
        choice = selection.choose(kernels, train, targets, "linear")
        dual, intercept = choice.fit.coefficients(choice.penalty)
        scores = kernels.block("linear", test, train) @ dual + intercept
        largest[test] = scores.argmax(1)
        fitted = discriminant.fit(choice.fit.left_out(choice.penalty), targets)
        discriminants[test] = fitted(scores).argmax(1)
    everything = cross_validate(kernels, labels, np.arange(180), parts).probe
    largest, discriminants, everything = (
        (predicted[labels == 1] == 1).mean() for predicted in (largest, discriminants, everything)
    )
    assert largest < 0.2
    assert 0.6 <= discriminants <= 0.8
    assert 0.65 <= everything <= 0.9


def shuffled_accuracies(z, labels, groups):
    """Accuracy in the order of the classes, and in two others with the same folds."""
    parts = folds.split(labels, groups)
    rng, scores = np.random.default_rng(0), []
    for order in (np.argsort(labels, kind="stable"), *(rng.permutation(len(z)) for _ in range(2))):
        own = cross_validate(
            Kernels(z[order], "it"), labels[order], groups[order], in_order(order, parts)
        )
        scores.append([100 * own.accuracy(labels[order]), 100 * own.knn_accuracy(labels[order])])
    return np.array(scores)


def test_the_order_of_files_changes_nothing_though_vectors_are_equal():
    """83 of the 479 codes of edges are zero; their round-off would give away the row."""
    _, labels, groups = photographs()
    z = vectors("edge")
    assert (z == 0).all(1).sum() > 60
    scores = shuffled_accuracies(z, labels, groups)
    assert np.ptp(scores, axis=0).max() <= 0.5


def test_the_order_of_files_changes_nothing_with_80_equal_vectors_of_400():
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 4
    z = rng.normal(size=(4, 3_000))[labels] / 8 + rng.normal(size=(400, 3_000)) + 3
    z[rng.permutation(400)[:80]] = z[0]
    scores = shuffled_accuracies(z.astype(np.float32), labels, np.arange(400))
    assert np.ptp(scores, axis=0).max() <= 0.5


def test_many_images_are_judged_alike_in_any_order():
    """Above 440 training images, those that the kernel is chosen on are named by their groups."""
    rng = np.random.default_rng(0)
    labels = np.arange(700) % 4
    z = rng.normal(size=(4, 40))[labels] + 1.5 * rng.normal(size=(700, 40))
    scores = shuffled_accuracies(z.astype(np.float32), labels, np.arange(700) // 2)
    assert np.ptp(scores, axis=0).max() <= 0.5


def encoded_set(path, max_images, specs):
    """A shared set as `compare` reads it, and its encoded candidates."""
    state = State(
        dataset=source.find(Inputs(data=str(path), max_images=max_images)),
        size=64,
        seed=0,
        reading=DEFAULT_READING,
        readers=1,
        device="cpu",
        progress=lambda what, done, total: None,
    )
    images = state.collect()
    return labelled(images), state.encode(gather(specs)[0], 64)


@pytest.fixture(params=SETS)
def shared_set(request, shared_data, tmp_path, monkeypatch):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path))
    path = shared_data / "classification" / request.param
    return lambda *specs: encoded_set(path, SETS[request.param], specs)


def judged_candidate(encoded, dataset):
    return cross_validate(
        encoded.views(dataset), dataset.labels, dataset.groups, dataset.folds, dataset.seed
    )


@pytest.mark.slow
def test_the_judge_is_ahead_of_a_linear_ridge(shared_set):
    dataset, encoded = shared_set(
        *("dct", "filterbank", "fourier", "gradient", "histogram", "hog", "laplacian", "pixels")
    )
    scores = [judged_candidate(each, dataset) for each in encoded]
    mean = np.mean([each.accuracy(dataset.labels) for each in scores])
    assert mean > np.mean([each.linear_accuracy(dataset.labels) for each in scores])


@pytest.mark.slow
@pytest.mark.parametrize("spec", ["gradient", "dct", "histogram"])
def test_the_choice_on_part_of_the_images_costs_little(spec, shared_data, tmp_path, monkeypatch):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path))
    path = shared_data / "classification" / "eurosat"
    dataset, (encoded,) = encoded_set(path, None, [spec])
    assert dataset.folds.largest_train > model.ALL_IMAGES
    part = judged_candidate(encoded, dataset).accuracy(dataset.labels)
    monkeypatch.setattr(model, "ALL_IMAGES", len(dataset))
    complete = judged_candidate(encoded, dataset).accuracy(dataset.labels)
    assert abs(part - complete) <= 0.03
