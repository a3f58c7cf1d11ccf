"""The classifier fitted to all images is the one that the folds measured."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from imrep import Classifier
from imrep.comparison.candidates import Candidate, gather
from imrep.comparison.conclusions.final_classifier import Classifiers
from imrep.comparison.conclusions.final_models import check_choice
from imrep.comparison.conclusions.final_parts import identity
from imrep.comparison.data.folds import split
from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.probes import final_fit
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.statistics.verdict import judge
from imrep.embedding.encode import Encoded
from imrep.errors import BadData, BadParameter
from imrep.estimators.kernels import KERNELS
from imrep.factory import get
from imrep.images import Reading

LABELS = np.repeat(np.arange(3), 30)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))


def vectors(seed, apart=1.0, d=10):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(90, d)) + apart * rng.normal(size=(3, d))[LABELS]).astype(np.float32)


@pytest.fixture
def classifiers(tmp_path):
    """A function that makes them of vectors by spec, or of a sum's parts."""
    groups = np.arange(90) // 2
    data = LabelledDataset(
        np.arange(90), LABELS, ("a", "b", "c"), groups, split(LABELS, groups), seed=0
    )

    def encoded(spec, arrays):
        parts = []
        for name, array in zip(spec.split("+"), arrays, strict=True):
            path = tmp_path / f"{name}.npy"
            np.save(path, array)
            parts.append(Encoded(f"key {name}", get(name), 24, path, 1.0, 1.0, 0.0))
        return EncodedCandidate(Candidate(spec, spec, tuple(p.rep for p in parts)), tuple(parts))

    def make(pick=0, headline="clear", **by_spec):
        rows = [encoded(spec.replace("_", "+"), arrays) for spec, arrays in by_spec.items()]
        hits = np.stack([LABELS == LABELS] * len(rows))
        classification = SimpleNamespace(
            encoded=tuple(rows),
            verdict=judge(hits, LABELS, groups),
            pick=pick,
            headline=SimpleNamespace(id=headline),
        )
        return Classifiers(
            dataset=data,
            results=classification,
            together=(),
            reading=Reading(),
            data_name="photos",
        )

    return make


def test_it_is_the_classifier_for_scikit_learn(classifiers):
    z, new = vectors(0, 0.6), vectors(1)
    made = classifiers(hog=[z]).fit()
    expected = Classifier().fit(z, LABELS, groups=np.arange(90) // 2)
    (part,) = made.parts
    np.testing.assert_array_equal(part.predictor.mean, expected.mean_)
    assert part.penalty == expected.penalty_ and part.weight == 1
    assert made.temperature == pytest.approx(expected.temperature_, rel=1e-3)
    np.testing.assert_allclose(
        made.probabilities(part.scores(new)), expected.predict_proba(new), atol=1e-5
    )


def test_a_sum_weighs_its_parts(classifiers):
    good, bad = vectors(0, 1.0), vectors(1, 0.0)
    made = classifiers(hog_dct=[good, bad]).fit()
    first, second = made.parts
    assert first.spec == "hog" and second.spec == "dct"
    assert first.weight > 2 * second.weight
    assert made.share(first) + made.share(second) == pytest.approx(1)
    assert made.discriminant is not None or made.temperature == 1


def test_constant_parts_are_left_out_and_constant_vectors_refused(classifiers):
    good, flat = vectors(0), np.ones((90, 4), np.float32)
    made = classifiers(hog_dct=[good, flat]).fit()
    assert [part.spec for part in made.parts] == ["hog"]
    with pytest.raises(BadData, match="gives every image the same vector"):
        classifiers(dct=[flat]).fit()


def test_what_was_trained_on_the_labels_is_refused(classifiers):
    made = classifiers(snnl=[vectors(0)])
    (row,) = made.results.encoded
    (part,) = row.parts
    trained = replace(row, parts=(replace(part, folds=(part.path,) * 5, budget="60 epochs"),))
    made = replace(made, results=SimpleNamespace(**{
        **vars(made.results), "encoded": (trained,)}))  # fmt: skip
    with pytest.raises(BadParameter, match="without these labels, got snnl, which was trained"):
        made.fit()


def test_one_percent_of_left_out_images_lie_beyond_the_threshold(classifiers):
    z = vectors(0)
    made = classifiers(hog=[z]).fit()
    (part,) = made.parts
    assert (made.distances(part, z) == 0).all()
    assert (made.distances(part, 3 + 3 * vectors(5, 0.0)) > 1).any()


@pytest.mark.parametrize("kernel", KERNELS)
def test_distances_are_of_standardised_vectors_whatever_the_kernel(classifiers, kernel):
    """One that lies far out in the same direction is unlike, though its angle is usual."""
    z = vectors(0) * np.linspace(0.1, 30, 10, dtype=np.float32) + 5
    made = classifiers(hog=[z]).fit()
    (part,) = made.parts
    part = replace(part, predictor=replace(part.predictor, kernel=kernel))
    new, mean, sd = np.float32(vectors(5) * np.linspace(0.1, 30, 10) + 5), z.mean(0), z.std(0)
    expected = cdist((new - mean) / sd, (z - mean) / sd).min(1)
    scaled = part.distances(new) * part.neighbourhood.unit
    np.testing.assert_allclose(scaled, expected, rtol=2e-3)
    assert (made.distances(part, mean + 3 * (z - mean)) > 1).mean() > 0.5


def test_it_is_fitted_once(classifiers, monkeypatch):
    made = classifiers(hog=[vectors(0)])
    assert made.fit() is made.fit("hog")
    again = classifiers(hog=[vectors(0)])
    monkeypatch.setattr(final_fit, "fit", None)  # from the cache
    np.testing.assert_array_equal(
        again.fit().parts[0].predictor.intercept, made.fit().parts[0].predictor.intercept
    )


def test_without_a_recommendation_one_must_be_named(classifiers):
    made = classifiers(pick=None, headline="too few", hog=[vectors(0)], dct=[vectors(1)])
    assert made.pick == "" and made.reason == "there are too few images to decide."
    with pytest.raises(BadParameter, match=r"too few images to decide\. Name one of: hog, dct"):
        made.fit()
    assert made.fit("dct").spec == "dct"
    with pytest.raises(BadParameter, match=r"needs one of those compared, got 'sift'"):
        made.fit("sift")


def test_vectors_that_left_the_cache_are_said(classifiers, tmp_path):
    made = classifiers(hog=[vectors(0)])
    (tmp_path / "hog.npy").unlink()
    with pytest.raises(BadData, match="hog needs its vectors in the cache"):
        made.fit()


def test_names_are_taken_in_every_form():
    candidates, _ = gather(["hog:orientations=9", "dct+hog"])
    assert check_choice("HOG", candidates, ("together",)) == "hog"
    assert check_choice("hog:orientations=9", candidates, ("together",)) == "hog"
    assert check_choice("dct+hog:orientations=9", candidates, ()) == "dct+hog"
    assert check_choice("Together", candidates, ("together",)) == "together"
    with pytest.raises(BadParameter, match=r"got 'sift'\. Choose: hog, dct\+hog, together"):
        check_choice("sift", candidates, ("together",))


def test_names_hold_no_path(tmp_path):
    folder = get("hog").save(tmp_path / "mine")
    assert identity(get(str(folder))) == "hog"
