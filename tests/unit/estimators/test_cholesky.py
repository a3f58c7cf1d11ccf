"""The Cholesky route beside the eigenvectors, on as many images as the latter may have."""

import numpy as np
import pytest

from imrep.errors import BadData
from imrep.estimators import selection
from imrep.estimators.cholesky import Factored
from imrep.estimators.discriminant import finish
from imrep.estimators.kernels import KERNELS, Kernels
from imrep.estimators.targets import Targets

TRAIN, TEST = np.arange(1_200), np.arange(1_200, 1_500)


def problem():
    """Ten classes that overlap; a third of the training images are in groups of two."""
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.arange(1_500) % 10)
    z = rng.normal(size=(10, 64))[labels] + 2.5 * rng.normal(size=(1_500, 64))
    groups = np.where(TRAIN < 400, TRAIN // 2, TRAIN)
    return Kernels(z.astype(np.float32), "it"), Targets.of(labels[TRAIN], groups, 10)


@pytest.mark.parametrize("kernel", KERNELS)
def test_both_routes_name_the_same_classes(kernel):
    kernels, targets = problem()
    choice = selection.choose(kernels, TRAIN, targets, kernel)
    cross = kernels.block(kernel, TEST, TRAIN)
    left_out = choice.fit.left_out(choice.penalty)
    dual, intercept = choice.fit.coefficients(choice.penalty)
    scores = cross @ dual + intercept
    factored = Factored.of(kernels.block(kernel, TRAIN, TRAIN), choice.penalty, targets)
    other = cross @ factored.alpha + factored.intercept
    others_left_out = factored.left_out()  # last: it overwrites the factor
    np.testing.assert_allclose(others_left_out, left_out, atol=1.3e-3)
    np.testing.assert_allclose(other, scores, atol=1.3e-3)
    one, two = finish(left_out, scores, targets), finish(others_left_out, other, targets)
    assert (one.discriminant is None) == (two.discriminant is None)
    np.testing.assert_array_equal(one.test.argmax(1), two.test.argmax(1))


def test_a_kernel_that_is_not_definite_is_refused():
    targets = Targets.of(np.arange(20) % 2, np.arange(20), 2)
    with pytest.raises(BadData, match="too alike to be told apart"):
        Factored.of(-np.eye(20, dtype=np.float32), 1e-6, targets)
