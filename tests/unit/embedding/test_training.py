"""Training inside folds: honest where labels are random, cached, and continued where it stopped."""

import numpy as np
import PIL.Image
import pytest
import torch

import imrep
from imrep import datasets
from imrep.comparison.candidates import gather
from imrep.comparison.data.labelled_dataset import labelled, training_labels
from imrep.comparison.probes import predictions
from imrep.comparison.probes.classifier import balanced_accuracy
from imrep.comparison.state import State
from imrep.embedding import encode, training, vector_file
from imrep.errors import NotFitted
from imrep.images import DEFAULT_READING, batch
from imrep.represent.learned.snnl import SNNL

SPEC = "snnl:arch=mlp,side=8,code=8,epochs=15"
COUNT = 60


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path):
    """Noise, in two classes by chance."""
    pixels = np.random.default_rng(0).integers(0, 256, (COUNT, 16, 16, 3), np.uint8)
    for i, image in enumerate(pixels):
        path = tmp_path / "data" / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(image).save(path)
    return tmp_path / "data"


def opened(folder, calls=None, spec=SPEC):
    """A state with labels, the data set, and the candidate."""

    def progress(step, done, total):
        if calls is not None:
            calls.append((step, done, total))

    state = State(dataset=datasets.find(str(folder)), size=16, seed=0, reading=DEFAULT_READING,
                  readers=1, device="cpu", progress=progress)  # fmt: skip
    dataset = labelled(state.collect())
    state.labels = training_labels(dataset)
    return state, dataset, gather([spec])[0]


def test_random_labels_are_not_predicted(folder):
    state, dataset, candidates = opened(folder)
    (encoded,) = state.encode(candidates, 16)
    assert not state.failed and encoded.trained and encoded.fitted_on == "fold"
    assert encoded.budget == "15 epochs" and encoded.fit_seconds > 0
    honest = predictions.predict(encoded, dataset)
    assert abs(balanced_accuracy(honest.probe == dataset.labels, dataset.labels) - 0.5) < 0.2
    assert abs(balanced_accuracy(honest.knn == dataset.labels, dataset.labels) - 0.5) < 0.2
    # The vectors of the one that was trained on all images know every label.
    vectors = encoded.vectors(dataset.rows)
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -2)
    assert (dataset.labels[similarity.argmax(1)] == dataset.labels).mean() > 0.9


def test_each_fold_has_vectors_of_its_own(folder):
    state, dataset, candidates = opened(folder)
    (encoded,) = state.encode(candidates, 16)
    part = encoded.parts[0]
    assert len(part.folds) == dataset.folds.k
    files = [encode.of_fold(part, fold, train) for fold, (train, _) in enumerate(dataset.folds)]
    assert all(file.shape == part.vectors.shape for file in files)
    every = [part.vectors, *files]
    same = [np.array_equal(a, b) for i, a in enumerate(every) for b in every[:i]]
    assert not any(same)


def test_the_vectors_of_a_fold_are_those_of_a_network_trained_on_it(folder):
    state, dataset, candidates = opened(folder)
    (encoded,) = state.encode(candidates, 16)
    train, _ = next(iter(dataset.folds))
    rows = dataset.rows[train]
    squares = batch(state.decoded(8).squares)  # its own side
    rep = imrep.get(SPEC)
    rep.fit(squares[rows], torch.from_numpy(dataset.labels[train]), seed=dataset.seed)
    expected = rep.embed(squares).detach().numpy()
    np.testing.assert_allclose(encode.of_fold(encoded.parts[0], 0, rows), expected, atol=1e-5)


def test_an_interrupted_run_continues(folder, monkeypatch):
    state, dataset, candidates = opened(folder)
    fit, fitted = SNNL.fit_rows, []

    def interrupted(self, *args):
        if len(fitted) == 3:
            raise KeyboardInterrupt
        fitted.append(self)
        fit(self, *args)

    monkeypatch.setattr(SNNL, "fit_rows", interrupted)
    with pytest.raises(KeyboardInterrupt):
        state.encode(candidates, 16)
    monkeypatch.setattr(
        SNNL, "fit_rows", lambda self, *args: (fitted.append(self), fit(self, *args))
    )
    (encoded,) = opened(folder)[0].encode(candidates, 16)
    assert len(fitted) == 1 + dataset.folds.k
    (again,) = opened(folder)[0].encode(candidates, 16)
    assert len(fitted) == 1 + dataset.folds.k
    assert again.parts[0].key == encoded.parts[0].key
    assert again.parts[0].rep.spec == encoded.parts[0].rep.spec
    assert str(folder.parent) not in again.parts[0].rep.spec


def test_a_point_of_the_learning_curve_is_of_networks_trained_on_its_images(folder, monkeypatch):
    fit, seen = SNNL.fit_rows, []

    def fit_rows(self, read, labels, *more):
        seen.append(len(labels))
        fit(self, read, labels, *more)

    state, dataset, candidates = opened(folder)
    (encoded,) = state.encode(candidates, 16)
    monkeypatch.setattr(SNNL, "fit_rows", fit_rows)
    points = predictions.predict_curve(encoded, dataset)
    assert [point.labels for point in points] == [1, 2, 5, 10]
    assert seen == [2 * m for m in (1, 2, 5, 10) for _ in range(5)]
    # The labels are noise: networks that knew those of other draws would predict them.
    assert abs(points[-1].accuracy - 0.5) < 0.2
    assert predictions.predict_curve(encoded, dataset) == points and len(seen) == 20


def test_an_interrupted_curve_trains_no_draw_again(folder, monkeypatch):
    state, dataset, candidates = opened(folder)
    (encoded,) = state.encode(candidates, 16)
    fit, fitted = SNNL.fit_rows, []

    def fit_rows(self, *args):
        if len(fitted) == 7:
            raise KeyboardInterrupt
        fitted.append(self)
        fit(self, *args)

    monkeypatch.setattr(SNNL, "fit_rows", fit_rows)
    with pytest.raises(KeyboardInterrupt):
        predictions.predict_curve(encoded, dataset)
    monkeypatch.setattr(
        SNNL, "fit_rows", lambda self, *args: (fitted.append(self), fit(self, *args))
    )
    predictions.predict_curve(encoded, dataset)
    assert len(fitted) == 20


def test_progress_is_that_of_all_trainings(folder):
    calls = []
    state, dataset, candidates = opened(folder, calls)
    state.encode(candidates, 16)
    trained = [(done, total) for step, done, total in calls if step.startswith("training snnl:")]
    total = 15 * (1 + dataset.folds.k)
    assert trained == [(done, total) for done in range(1, total + 1)]


def test_without_classes_it_is_left_out_with_the_reason(tmp_path, folder):
    for path in folder.glob("*/*"):
        path.rename(folder / path.name)
    for name in "ab":
        (folder / name).rmdir()
    state, dataset, candidates = opened(folder)
    assert dataset is None and state.encode(candidates, 16) == []
    assert "snnl needs images of two classes or more to train on" in state.failed[0].reason


def test_a_sum_needs_trained_parts(folder):
    state, _, candidates = opened(folder, spec=f"hog+{SPEC}")
    assert state.encode(candidates, 16) == []
    assert "a sum needs parts that are trained already, got snnl:" in state.failed[0].reason


def test_other_labels_are_another_entry(folder):
    state, dataset, (candidate,) = opened(folder)
    decoded, progress = state.decoded(8), state.progress
    labels = training_labels(dataset)
    swapped = training.Labels(labels.rows, 1 - labels.classes, labels.trains, labels.seed)
    (rep,) = candidate.parts
    keys = [
        training.train_and_encode(rep, decoded, each, "cpu", progress).key
        for each in (labels, swapped)
    ]
    assert keys[0] != keys[1]


def test_vectors_of_an_untrained_one_are_refused_and_nothing_is_left(folder, tmp_path):
    with pytest.raises(NotFitted, match="snnl needs labelled images to train on"):
        vector_file.embed(datasets.find(str(folder)).items, imrep.get(SPEC), tmp_path / "out.npz")
    assert not list(tmp_path.glob("out*"))
