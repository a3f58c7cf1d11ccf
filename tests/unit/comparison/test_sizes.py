"""Sizes are compared on the same folds; candidates of a fixed size are left out."""

from types import SimpleNamespace

import numpy as np
import pytest

from imrep.comparison.conclusions import sizes
from imrep.comparison.data.folds import split
from imrep.comparison.data.labelled_dataset import LabelledDataset
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


@pytest.fixture
def compared(monkeypatch):
    monkeypatch.setattr(sizes.predictions, "predict", predicted)
    own = encode([candidate("hog")], 64)
    hits = np.stack([predicted(one, DATASET).probe == LABELS for one in own])
    classification = SimpleNamespace(
        encoded=own, verdict=judge(hits, LABELS, DATASET.groups), pick=0
    )
    candidates = [candidate("hog"), candidate("vit", fixed=True)]
    return sizes.compare_sizes(candidates, (32, 128), 64, encode, DATASET, classification)


def test_every_size_is_measured_once(compared):
    assert [(at.size, at.encoded.spec) for at in compared.measured] == [
        *((32, "hog"), (64, "hog"), (128, "hog"))
    ]


def test_gains_are_over_the_own_size(compared):
    small, own, large = compared.scores
    assert own.gain is None
    assert own.accuracy.value == pytest.approx(0.6)
    assert large.gain.value == pytest.approx(0.3)
    assert large.gain.low < 0.3 < large.gain.high
    assert small.gain.value == 0


def test_the_sentence_names_decided_sizes_first(compared):
    text = compared.sentence.text
    assert text.startswith("Size of the images, for **hog**: 128 px gives 30 points more than 64")
    assert "at 4 times the cost; more than chance explains" in text
    assert "no difference between 64 px and 32 px" in text


def test_without_sizes_nothing_is_encoded():
    assert sizes.compare_sizes([candidate("hog")], (), 64, None, None, None) is None


def test_fixed_sizes_cannot_be_compared():
    result = sizes.compare_sizes([candidate("vit", fixed=True)], (32,), 64, None, None, None)
    assert result == sizes.SizeComparison((), (), sizes.ALL_FIXED)


def test_without_classes_only_times_are_measured():
    result = sizes.compare_sizes([candidate("hog")], (32,), 64, encode, None, None)
    assert [at.size for at in result.measured] == [32, 64]
    assert (result.scores, result.sentence) == ((), sizes.NO_SCORES)
