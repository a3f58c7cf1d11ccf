"""Predictions of encoded candidates: what the cache answers, and how a sum is judged."""

from types import SimpleNamespace

import numpy as np
import pytest

from imrep.comparison.data import folds
from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.probes import predictions
from imrep.comparison.probes.classifier import cross_validate
from imrep.comparison.probes.combination import combine
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.estimators.kernels import Kernels

N, COUNT = 120, 4
LABELS, GROUPS = np.arange(N) % COUNT, np.arange(N) // 2 * COUNT + np.arange(N) % COUNT
FOLDS = folds.split(LABELS, GROUPS)
DATASET = LabelledDataset(np.arange(N), LABELS, ("a", "b", "c", "d"), GROUPS, FOLDS, 0)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path))


def part(spec, distance, seed):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(N, 8)) + distance * rng.normal(size=(COUNT, 8))[LABELS]
    return SimpleNamespace(
        key=spec,
        rep=SimpleNamespace(spec=spec),
        vectors=vectors.astype(np.float32),
        raw=None,
        folds=(),
        trained_on=None,
    )


def candidate(*parts):
    return EncodedCandidate(SimpleNamespace(spec="+".join(p.key for p in parts)), parts)


STRONG, WEAK = part("strong", 0.8, 0), part("weak", 0.4, 1)


def test_what_is_stored_is_what_was_computed():
    for each in (candidate(STRONG), candidate(STRONG, WEAK)):
        new, stored = (predictions.predict(each, DATASET) for _ in range(2))
        for name in ("probe", "linear", "knn", "by", "note"):
            np.testing.assert_array_equal(getattr(new, name), getattr(stored, name))
        for one, other in zip(new.folds, stored.folds, strict=True):
            for array, again in zip(one, other, strict=True):
                np.testing.assert_array_equal(array, again)


def test_a_sum_is_judged_by_weights_and_its_vector_by_neighbours_and_a_linear_ridge():
    both = candidate(STRONG, WEAK)
    found = predictions.predict(both, DATASET)
    parts = [predictions.predict(candidate(each), DATASET).folds for each in (STRONG, WEAK)]
    judged = combine(parts, LABELS, GROUPS, FOLDS, drop=False)
    vectors = both.vectors(np.arange(N))
    plain = cross_validate(Kernels(vectors, "both"), LABELS, GROUPS, FOLDS)
    assert found.by == "parts"
    np.testing.assert_array_equal(found.probe, judged.probe)
    np.testing.assert_array_equal(found.knn, plain.knn)
    np.testing.assert_array_equal(found.linear, plain.linear)
    np.testing.assert_array_equal(found.folds[0].scores, judged.folds[0].scores)


def test_a_sum_of_constant_parts_has_no_judge():
    flat = SimpleNamespace(
        key="flat",
        rep=SimpleNamespace(spec="flat"),
        vectors=np.ones((N, 3), np.float32),
        raw=None,
        folds=(),
        trained_on=None,
    )
    found = predictions.predict(candidate(flat, flat), DATASET)
    assert (found.by, found.note, found.folds) == ("", "constant", ())
    assert not found.probe.any()


def test_the_fit_to_all_images_leaves_out_whole_groups():
    """Vectors of a group that are equal do not tell an image its own label."""
    rng = np.random.default_rng(0)
    pairs = SimpleNamespace(
        key="pairs",
        rep=SimpleNamespace(spec="pairs"),
        vectors=rng.normal(size=(GROUPS.max() + 1, 30))[GROUPS].astype(np.float32),
        raw=None,
        folds=(),
        trained_on=None,
    )
    found = predictions.fit_all(candidate(pairs), DATASET)
    assert found.left_out.shape == (N, COUNT) and found.scores.shape == (0, COUNT)
    np.testing.assert_array_equal(found.train, np.arange(N))
    assert (found.left_out.argmax(1) == LABELS).mean() < 0.5
    again = predictions.fit_all(candidate(pairs), DATASET)
    np.testing.assert_array_equal(found.left_out, again.left_out)


def test_the_fit_to_all_images_by_a_cholesky_factor_is_the_same(monkeypatch, tmp_path):
    one = predictions.fit_all(candidate(STRONG), DATASET)
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "other"))
    monkeypatch.setattr("imrep.estimators.model.MAX_DECOMPOSED", 0)
    monkeypatch.setattr(predictions, "MAX_DECOMPOSED", 0)
    other = predictions.fit_all(candidate(STRONG), DATASET)
    np.testing.assert_allclose(one.left_out, other.left_out, atol=2e-3)


def test_the_curve_of_a_sum_is_that_of_its_parts():
    points = predictions.predict_curve(candidate(STRONG, WEAK), DATASET)
    assert [point.labels for point in points] == [1, 2, 5, 10]
    assert points == predictions.predict_curve(candidate(STRONG, WEAK), DATASET)
    assert points[-1].accuracy > points[0].accuracy
