"""Sizes are compared on the same folds; candidates of a fixed size are left out."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from imrep.comparison.conclusions import sizes
from imrep.comparison.data.folds import split
from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.diagnostics.retrieval import Objects
from imrep.comparison.probes.classifier import Predictions
from imrep.comparison.statistics.verdict import judge

LABELS = np.repeat([0, 1], 100)
DATASET = LabelledDataset(
    rows=np.arange(200),
    labels=LABELS,
    classes=("a", "b"),
    groups=np.arange(200),
    folds=split(LABELS, np.arange(200)),
    seed=0,
)


def candidate(spec, fixed=False):
    return SimpleNamespace(spec=spec, fixed_size=fixed)


def encode(candidates, size):
    """Time grows with the area."""
    return [SimpleNamespace(spec=c.spec, size=size, cpu_ms=size**2 / 1000) for c in candidates]


def predicted(encoded, dataset):
    """64 px: 60 % right; 128 px: 90 %; 32 px: 60 %."""
    right = np.arange(200) % 10 < (9 if encoded.size == 128 else 6)
    classes = np.where(right, dataset.labels, 1 - dataset.labels)
    return Predictions(classes, classes, dataset.labels)


def judged_at_own_size(specs, score=predicted):
    own = encode([candidate(spec) for spec in specs], 64)
    hits = np.stack([score(one, DATASET).probe == LABELS for one in own])
    verdict = judge(hits, LABELS, DATASET.groups)
    return SimpleNamespace(encoded=own, verdict=verdict, pick=0)


@pytest.fixture
def compared(monkeypatch):
    monkeypatch.setattr(sizes.predictions, "predict", predicted)
    candidates = [candidate("hog"), candidate("vit", fixed=True)]
    judged = judged_at_own_size(["hog"])
    return sizes.compare_sizes(candidates, (32, 128), 64, encode, sizes.classes(DATASET), judged)


def test_every_size_is_measured_once(compared):
    assert [(at.size, at.encoded.spec) for at in compared.measured] == [
        *((32, "hog"), (64, "hog"), (128, "hog"))
    ]


def test_gains_are_over_the_own_size(compared):
    small, own, large = compared.scores
    assert (own.gain, own.decided, own.cost) == (None, False, 1)
    assert own.score.value == pytest.approx(0.6)
    assert large.gain.value == pytest.approx(0.3)
    assert 0 < large.gain.low < 0.3 < large.gain.high
    assert large.decided and large.cost == pytest.approx(4)
    assert small.gain.value == 0 and not small.decided


def test_the_sentence_names_decided_sizes_first(compared):
    text = compared.sentence.text
    assert text.startswith("Image size, for **hog**: 128 px gives 30 points more than 64")
    assert "at 4 times the cost; more than chance explains" in text
    assert "chance can explain the difference between 64 px and 32 px (0 points)" in text


def test_with_too_few_images_nothing_is_decided(compared):
    text = sizes.sentence("hog", 64, compared.scores, too_few=True).text
    assert "more than chance explains" not in text
    assert "the differences between 64 px and 32 or 128 px (0 and +30 points)" in text


def test_another_that_comes_first_at_another_size_is_named(monkeypatch):
    def better_when_small(encoded, dataset):
        """dct is right in 90 % at 32 px, hog in 60 %; elsewhere dct in half."""
        share = 6 if encoded.spec == "hog" else 9 if encoded.size == 32 else 5
        right = np.arange(200) % 10 < share
        named = np.where(right, dataset.labels, 1 - dataset.labels)
        return Predictions(named, named, named)

    monkeypatch.setattr(sizes.predictions, "predict", better_when_small)
    judged = judged_at_own_size(["hog", "dct"], better_when_small)
    both = [candidate("hog"), candidate("dct")]
    result = sizes.compare_sizes(both, (32,), 64, encode, sizes.classes(DATASET), judged)
    assert result.sentence.text.endswith("At 32 px **dct** comes first, with 90% (hog 60%).")


def test_without_sizes_nothing_is_encoded():
    assert sizes.compare_sizes([candidate("hog")], (), 64, None, None, None) is None


def test_fixed_sizes_cannot_be_compared():
    result = sizes.compare_sizes([candidate("vit", fixed=True)], (32,), 64, None, None, None)
    assert result == sizes.SizeComparison("", (), (), sizes.ALL_FIXED)


def test_without_scores_only_times_are_measured():
    result = sizes.compare_sizes([candidate("hog")], (32,), 64, encode, None, None)
    assert [at.size for at in result.measured] == [32, 64]
    assert (result.scores, result.sentence) == ((), sizes.NO_SCORES)


def test_objects_are_retrieved_at_every_size():
    """Thirty objects of two images; at 128 px their vectors are alike, else random."""
    groups = np.repeat(np.arange(30), 2)
    rng = np.random.default_rng(0)
    random = rng.standard_normal((60, 8)).astype(np.float32)
    alike = rng.standard_normal((30, 8)).astype(np.float32)[groups]

    def encode_objects(candidates, size):
        vectors = alike if size == 128 else random
        return [
            SimpleNamespace(spec=c.spec, cpu_ms=1.0, vectors=lambda rows: vectors[rows])
            for c in candidates
        ]

    trial = sizes.objects(Objects(groups, tuple(map(str, range(30)))), seed=0)
    own = encode_objects([candidate("hog")], 64)
    verdict = judge(trial.score(own[0])[None], trial.labels, trial.groups)
    verdict = replace(verdict, too_few=False)  # thirty objects are enough
    judged = SimpleNamespace(encoded=own, verdict=verdict, pick=0)
    result = sizes.compare_sizes([candidate("hog")], (128,), 64, encode_objects, trial, judged)
    assert result.metric == "retrieval"
    assert result.scores[1].score.value == pytest.approx(1)
    assert "128 px gives" in result.sentence.text


@pytest.mark.parametrize(
    ("share", "text"), [(0.062, "+6"), (-0.12, "−12"), (0.004, "+0.4"), (0.0, "0")]
)
def test_points_keep_their_sign(share, text):
    assert sizes.signed(share) == text
