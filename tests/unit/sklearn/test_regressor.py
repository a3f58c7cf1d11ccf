"""The regressor as scikit-learn expects it, and beside what judges representations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import estimator_checks_generator

from imrep import Embedder, Regressor
from imrep.errors import BadParameter
from imrep.estimators.kernels import KERNELS, Kernels
from imrep.estimators.model import fit
from imrep.estimators.value_targets import ValueTargets, quantile_bins
from imrep.sklearn.regressor import half_width


def numbers(n=120, d=8, noise=0.3, seed=0):
    """Vectors and a number that hangs on two of their features, one of them not linearly."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, d)).astype(np.float32)
    return z, 20 + 3 * (z[:, 0] + np.abs(z[:, 1])) + noise * rng.normal(size=n)


CHECKS = [(check, estimator) for estimator, check in estimator_checks_generator(Regressor())]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("check", "estimator"), CHECKS, ids=[str(getattr(c, "func", c).__name__) for c, _ in CHECKS]
)
def test_scikit_learn_accepts_it(check, estimator):
    check(estimator)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("size", [1, 3])
def test_it_predicts_as_the_judge_does(kernel, size):
    z, y = numbers()
    groups, every = np.arange(120) // size, np.arange(120)
    model = Regressor([kernel]).fit(z, y, groups)
    kernels = Kernels(z, "it")
    targets = ValueTargets.of(y[:, None], groups, quantile_bins(y, groups))
    best = fit(kernels, every, targets, among=[kernel]).best
    expected = targets.in_units(best.scores(kernels.block(kernel, every, every)))[:, 0]
    np.testing.assert_allclose(model.predict(z), expected, atol=1e-3)
    assert model.penalty_ == best.penalty and model.loss_ == best.loss


def test_the_loss_is_that_of_refits_without_each_group():
    z, y = numbers(60)
    groups = np.arange(60) // 2
    model = Regressor(["gaussian"], [1.0]).fit(z, y, groups)
    left_out = cross_val_predict(
        Regressor(["gaussian"], [1.0]), z, y, cv=GroupKFold(30), groups=groups
    )
    # a refit has a unit, a width and a mean of its own, so that it is close and not equal
    own = np.sqrt(model.loss_) * y.std()
    assert own == pytest.approx(np.sqrt(np.mean((y - left_out) ** 2)), rel=0.05)


@settings(max_examples=20)
@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e3))
def test_another_unit_changes_the_unit_of_the_answer_alone(shift, factor):
    z, y = numbers(40)
    plain, other = Regressor().fit(z, y), Regressor().fit(z, shift + factor * y)
    expected = shift + factor * plain.predict(z)
    tolerance = 1e-3 * factor + 1e-6 * abs(shift)
    np.testing.assert_allclose(other.predict(z), expected, atol=tolerance)


def test_several_targets_share_a_kernel_and_keep_their_units():
    z, y = numbers()
    both = np.stack([y, 1000 * z[:, 2]], axis=1)
    model = Regressor().fit(z, both)
    assert model.predict(z).shape == (120, 2) and model.errors_.shape == (120, 2)
    assert model.predict_interval(z).shape == (120, 2, 2)
    assert (model.score(z, both)) > 0.9
    assert model.errors_[:, 1].mean() > 20 * model.errors_[:, 0].mean()
    alone = Regressor().fit(z, y[:, None])
    assert alone.predict(z).shape == (120, 1)
    np.testing.assert_allclose(alone.predict(z)[:, 0], Regressor().fit(z, y).predict(z))


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9])
def test_intervals_contain_their_share_of_new_numbers(coverage):
    z, y = numbers(2_400, noise=1.0)
    model = Regressor().fit(z[:400], y[:400])
    low, high = model.predict_interval(z[400:], coverage).T
    inside = (low <= y[400:]) & (y[400:] <= high)
    assert inside.mean() == pytest.approx(coverage, abs=0.05)
    np.testing.assert_allclose((low + high) / 2, model.predict(z[400:]))


@given(
    arrays(float, st.integers(1, 30), elements=st.floats(0, 10)),
    st.floats(0, 1),
)
def test_half_the_width_holds_enough_errors(errors, coverage):
    errors = np.sort(errors)[:, None]
    half = half_width(errors, coverage)[0]
    rank = np.ceil(coverage * (len(errors) + 1))
    assert half in errors and (errors <= half).sum() >= min(rank, len(errors))


def test_groups_are_left_out_together():
    """With each image there twice, leaving out one would let the penalty collapse."""
    z, y = numbers(d=60)
    y = np.random.default_rng(2).normal(size=120)  # nothing to see but the copy
    jitter = 0.01 * np.random.default_rng(1).normal(size=z.shape)
    twice, doubled = np.concatenate([z, z + jitter]), np.concatenate([y, y])
    alone = Regressor(["exponential"]).fit(twice, doubled)
    together = Regressor(["exponential"]).fit(twice, doubled, np.tile(np.arange(120), 2))
    assert alone.penalty_ < together.penalty_ and alone.errors_.mean() < together.errors_.mean()


def test_groups_are_routed_through_a_pipeline():
    import sklearn

    rng = np.random.default_rng(0)
    brightness = rng.uniform(0.2, 1, 40)
    pictures = (rng.integers(0, 256, (40, 16, 16, 3)) * brightness[:, None, None, None]).astype(
        np.uint8
    )
    groups = np.arange(40) // 4
    with sklearn.config_context(enable_metadata_routing=True):
        model = Regressor().set_fit_request(groups=True)
        pipeline = make_pipeline(Embedder("pixels:side=4"), model)
        scores = cross_val_score(
            pipeline, pictures, brightness, cv=GroupKFold(5), params={"groups": groups}
        )
    assert scores.mean() > 0.9


@pytest.mark.parametrize("n", [1_000, 2_000])
def test_many_images_are_fitted(n, monkeypatch):
    from imrep.estimators import model as module

    z, y = numbers(n)
    monkeypatch.setattr(module, "MAX_TRAIN", 1_500)
    model = Regressor().fit(z, y)
    assert model.score(z, y) > 0.8
    assert len(model.errors_) <= 1_510


def test_equal_vectors_and_equal_numbers_give_the_mean():
    model = Regressor().fit(np.full((30, 4), 3.0), np.arange(30.0))
    np.testing.assert_allclose(model.predict([[3.0] * 4, [9.0] * 4]), 14.5, atol=1e-3)
    z, _ = numbers()
    np.testing.assert_allclose(Regressor().fit(z, np.full(120, 7.0)).predict(z), 7)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"kernels": ["cubic"]}, "Regressor needs kernels of"),
        ({"kernels": []}, "kernels of"),
        ({"penalties": [0, 1]}, "penalties above 0"),
        ({"penalties": []}, "penalties above 0"),
    ],
)
def test_wrong_parameters_are_refused(params, message):
    z, y = numbers()
    with pytest.raises(BadParameter, match=message):
        clone(Regressor(**params)).fit(z, y)


def test_a_wrong_coverage_is_refused():
    z, y = numbers(30)
    with pytest.raises(BadParameter, match="coverage from 0 to 1, got 90"):
        Regressor().fit(z, y).predict_interval(z, 90)
