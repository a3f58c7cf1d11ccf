"""Out-of-fold predictions of numbers: honest, in their own unit, stored, and put together."""

from types import SimpleNamespace

import numpy as np
import pytest

from imrep.comparison.data.folds import Folds
from imrep.comparison.data.valued_dataset import ValuedDataset, valued
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.probes.regression import cross_validate_values
from imrep.comparison.probes.value_combination import combine_values
from imrep.comparison.probes.value_predictions import (
    predict_value_curve,
    predict_values,
    predict_values_of_all,
    predict_values_of_control,
    values_stored,
)
from imrep.comparison.statistics.explained_variance import explained
from imrep.errors import BadData
from imrep.estimators.kernels import Kernels

N = 120


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path))


def sample(seed=0, n=N):
    """Vectors in three dimensions, and a number that bends along the first."""
    z = np.random.default_rng(seed).normal(size=(n, 3)).astype(np.float32)
    return z, 1000 + 50 * np.tanh(2 * z[:, 0].astype(float))


def dataset_of(values, groups=None):
    return valued(values, "price", np.arange(len(values)) if groups is None else groups)


def share(predicted, dataset):
    errors = dataset.values - predicted.values(dataset)
    return explained(errors.T, (dataset.values - dataset.means)[:, 0])[0]


def part(spec, vectors):
    return SimpleNamespace(
        key=spec, rep=SimpleNamespace(spec=spec), vectors=vectors, raw=None, folds=()
    )


def candidate(*parts):
    return EncodedCandidate(SimpleNamespace(spec="+".join(p.key for p in parts)), parts)


def r2(dataset):
    def measured(centred, means, images):
        guess = (dataset.values - dataset.means)[images, 0]
        return float(explained((dataset.values[images] - means - centred).T, guess)[0])

    return measured


def test_a_number_in_the_vectors_is_predicted_in_its_own_unit():
    z, values = sample()
    dataset = dataset_of(values)
    predicted = cross_validate_values(Kernels(z, "it"), dataset)
    assert share(predicted, dataset) > 0.9
    assert np.abs(predicted.values(dataset) - dataset.values).mean() < 15
    assert predicted.by in ("gaussian", "exponential") and predicted.note == ""
    linear = explained((dataset.values - dataset.means - predicted.linear).T,
                       (dataset.values - dataset.means)[:, 0])[0]  # fmt: skip
    assert 0.5 < linear < share(predicted, dataset)


@pytest.mark.parametrize("seed", range(3))
def test_shuffled_numbers_are_not_predicted(seed):
    z, values = sample()
    dataset = dataset_of(np.random.default_rng(seed).permutation(values))
    assert share(cross_validate_values(Kernels(z, "it"), dataset), dataset) < 0.05


def test_the_images_of_a_group_do_not_predict_each_other():
    """Vectors that say the group and nothing else."""
    rng = np.random.default_rng(0)
    z = np.repeat(rng.normal(size=(N // 4, 5)), 4, axis=0).astype(np.float32)
    values = np.repeat(rng.normal(size=N // 4), 4)
    known, unknown = dataset_of(values), dataset_of(values, np.arange(N) // 4)
    assert share(cross_validate_values(Kernels(z, "it"), known), known) > 0.9
    assert share(cross_validate_values(Kernels(z, "it"), unknown), unknown) < 0.1


def test_constant_vectors_predict_the_mean():
    dataset = dataset_of(sample()[1])
    predicted = cross_validate_values(Kernels(np.ones((N, 4), np.float32), "it"), dataset)
    np.testing.assert_array_equal(predicted.values(dataset), dataset.means)
    assert share(predicted, dataset) == 0
    assert (predicted.by, predicted.note, predicted.folds) == ("", "constant", ())


def test_several_columns_are_predicted_together():
    z, values = sample()
    columns = np.stack([values, (z[:, 1] > 0).astype(float)], 1)
    folds = dataset_of(values).folds
    zeros = np.zeros(N, int)
    dataset = ValuedDataset(np.arange(N), columns, ("a", "b"), np.arange(N), zeros, folds, 0)
    centred = cross_validate_values(Kernels(z, "it"), dataset).centred
    assert centred.shape == (N, 2)
    assert centred[z[:, 1] > 0, 1].min() > centred[z[:, 1] < -1, 1].max()


def test_a_column_that_does_not_vary_in_a_training_part_is_guessed():
    z, values = sample(n=20)
    rare = np.zeros(20)
    rare[3] = 1
    folds = Folds(np.arange(20) % 5, 5, ())
    columns = np.stack([values, rare], 1)
    zeros = np.zeros(20, int)
    dataset = ValuedDataset(np.arange(20), columns, ("a", "b"), np.arange(20), zeros, folds, 0)
    centred = cross_validate_values(Kernels(z, "it"), dataset).centred
    assert (centred[folds.assignment == 3, 1] == 0).all()
    assert np.isfinite(centred).all()


def test_the_order_of_the_images_does_not_matter():
    z, values = sample()
    dataset, order = dataset_of(values), np.random.default_rng(1).permutation(N)
    moved = ValuedDataset(
        np.arange(N), dataset.values[order], dataset.names, dataset.groups[order],
        dataset.bins[order], Folds(dataset.folds.assignment[order], 5, ()), 0,
    )  # fmt: skip
    one = cross_validate_values(Kernels(z, "it"), dataset).centred
    other = cross_validate_values(Kernels(z[order], "it"), moved).centred
    np.testing.assert_allclose(other, one[order], atol=0.05)


def test_vectors_that_are_no_numbers_are_refused():
    z = sample()[0]
    z[3, 1] = np.nan
    with pytest.raises(BadData, match="NaN"):
        cross_validate_values(Kernels(z, "it"), dataset_of(sample()[1]))


def test_what_is_stored_is_what_was_computed():
    z, values = sample()
    dataset, strong = dataset_of(values), part("strong", z)
    for each in (candidate(strong), candidate(strong, part("weak", sample(1)[0]))):
        assert not values_stored(each, dataset)
        new, stored = (predict_values(each, dataset) for _ in range(2))
        assert values_stored(each, dataset)
        for name in ("centred", "linear", "by", "note"):
            np.testing.assert_array_equal(getattr(new, name), getattr(stored, name))
        for one, other in zip(new.folds, stored.folds, strict=True):
            for array, again in zip(one, other, strict=True):
                np.testing.assert_array_equal(array, again)
    assert not values_stored(candidate(strong), dataset_of(values + 1))


def test_a_sum_weighs_its_parts():
    z, values = sample()
    halves = [part("a", z[:, [0, 0]]), part("b", z[:, 1:])]
    dataset = dataset_of(values + 40 * z[:, 1])
    done = []
    first, second, both = predict_values_of_all(
        [candidate(halves[0]), candidate(halves[1]), candidate(*halves)],
        dataset,
        lambda *progress: done.append(progress),
    )
    assert both.by == "parts" and done
    assert share(both, dataset) > max(share(first, dataset), share(second, dataset)) + 0.05
    judged = combine_values([first.folds, second.folds], dataset, drop=False)
    np.testing.assert_array_equal(both.centred, judged.centred)


def test_weights_leave_out_what_does_not_help_and_copies():
    z, values = sample()
    dataset = dataset_of(values)
    good, noise = candidate(part("a", z)), candidate(part("noise", sample(7)[0]))
    scores = [predict_values(each, dataset).folds for each in (good, noise, good)]
    judged = combine_values(scores, dataset)
    assert judged.retained[0] == 1 and judged.retained[2] == 0
    assert judged.weights[:, 1].mean() < 0.05
    np.testing.assert_allclose(judged.weights[:, 0], 1, atol=0.1)
    without_copy = combine_values(scores[:2], dataset)
    np.testing.assert_array_equal(judged.centred, without_copy.centred)


def test_parts_that_are_constant_everywhere_predict_the_mean():
    dataset = dataset_of(sample()[1])
    judged = combine_values([(), ()], dataset)
    assert not judged.centred.any() and judged.folds == () and judged.weights.shape == (0, 2)


def test_controls_are_predicted_as_candidates_are():
    z, values = sample()
    dataset = dataset_of(values)
    control = predict_values_of_control(z, "noise", dataset)
    again = predict_values_of_control(z, "noise", dataset)
    np.testing.assert_array_equal(control.centred, again.centred)
    own = predict_values(candidate(part("a", z)), dataset).centred
    np.testing.assert_array_equal(control.centred, own)


def test_the_curve_rises_and_goes_as_far_as_there_are_images():
    z, values = sample()
    dataset = dataset_of(values)
    both = candidate(part("a", z[:, [0, 0]]), part("b", z[:, 1:]))
    curve = predict_value_curve(both, dataset, "r2", r2(dataset))
    assert [point.labels for point in curve] == [20, 50]
    assert curve[0].accuracy < curve[1].accuracy
    assert all(point.low <= point.accuracy <= point.high for point in curve)
    assert predict_value_curve(both, dataset, "r2", None) == curve  # from the cache
    constant = candidate(part("c", np.ones((N, 2), np.float32)))
    for point in predict_value_curve(constant, dataset, "r2", r2(dataset)):
        assert point.accuracy <= 0


def test_more_than_440_images_are_predicted_as_well():
    z, values = sample(n=600)
    dataset = dataset_of(values)
    assert share(cross_validate_values(Kernels(z, "it"), dataset), dataset) > 0.97
