"""How long judging takes is said beforehand: in proportion, and not for little."""

from types import SimpleNamespace

import numpy as np
import pytest

from imrep.comparison.data.folds import split
from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.probes import judging_time
from imrep.comparison.probes.classifier import cross_validate
from imrep.comparison.probes.judging_time import announcement, judging_seconds
from imrep.estimators.kernels import Kernels


class Images:
    """As many images in five folds."""

    def __init__(self, count):
        self.count, self.folds = count, SimpleNamespace(k=5, largest_train=int(0.8 * count))

    def __len__(self):
        return self.count


@pytest.fixture
def _reference_machine(monkeypatch):
    monkeypatch.setattr(judging_time, "_product_seconds", lambda: judging_time._REFERENCE)


@pytest.mark.usefixtures("_reference_machine")
def test_it_grows_with_images_and_dimensions():
    seconds = [judging_seconds(Images(n), [500]) for n in (500, 1000, 2000, 5000)]
    assert seconds == sorted(seconds)
    assert judging_seconds(Images(5000), [4000]) > judging_seconds(Images(5000), [500])
    one, two = (judging_seconds(Images(2000), [500] * count) for count in (1, 2))
    assert one < two < 2 * one  # the controls are judged once


@pytest.mark.usefixtures("_reference_machine")
def test_beyond_the_training_limit_it_grows_slowly():
    assert judging_seconds(Images(20_000), [500]) < 3 * judging_seconds(Images(6_250), [500])


@pytest.mark.usefixtures("_reference_machine")
def test_minutes_are_said_and_seconds_are_not():
    assert announcement(Images(300), [500] * 19) == ""
    assert announcement(Images(1000), [500] * 19) == ""
    assert announcement(Images(5000), []) == ""  # all were judged by an earlier run
    text = announcement(Images(5000), [2000] * 19)
    assert text.startswith("judging 19 representations of 5,000 images takes about ")
    assert 4 <= int(text.split()[-2]) <= 10


@pytest.mark.slow
def test_it_is_right_within_a_factor_of_three(monkeypatch):
    monkeypatch.setattr(judging_time, "_CONTROLS", ())
    labels = np.arange(1000) % 10
    dataset = LabelledDataset(
        rows=np.arange(1000), labels=labels, classes=tuple("abcdefghij"),
        groups=np.arange(1000), folds=split(labels, np.arange(1000)), seed=0,
    )  # fmt: skip
    vectors = np.random.default_rng(0).standard_normal((1000, 2000)).astype(np.float32)
    monkeypatch.setattr(judging_time.time, "perf_counter", judging_time.time.process_time)
    expected = judging_seconds(dataset, [2000])
    started = judging_time.time.process_time()
    cross_validate(Kernels(vectors, "it", True), labels, dataset.groups, dataset.folds, 0)
    assert expected / 3 < judging_time.time.process_time() - started < 3 * expected
