"""Variants are embedded anew, once; what refuses them has no scores; nothing else is cached."""

import numpy as np
import PIL.Image
import pytest

from imrep import datasets
from imrep.comparison.candidates import gather
from imrep.comparison.data.labelled_dataset import labelled
from imrep.comparison.diagnostics.cues import scores as module
from imrep.comparison.diagnostics.cues.scores import STEP, predict_variants
from imrep.comparison.diagnostics.cues.variants import ORIGINAL, VARIANTS
from imrep.comparison.probes import predictions
from imrep.comparison.state import State
from imrep.embedding import cache, encode
from imrep.images import DEFAULT_READING

SIDE, PER_CLASS = 16, 25


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def steps():
    return []


@pytest.fixture
def state(tmp_path, steps):
    """Two classes that differ in hue alone."""
    rng = np.random.default_rng(0)
    for name in ("red", "blue"):
        (tmp_path / name).mkdir()
        for i in range(PER_CLASS):
            # .299 · 60 = .114 · 157: both have the same luma
            colour = np.array([60, 0, 0]) if name == "red" else np.array([0, 0, 157])
            pixels = 40 + colour + rng.normal(0, 12, (SIDE, SIDE, 1))
            image = PIL.Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
            image.save(tmp_path / name / f"{i:02}.png")
    return State(
        dataset=datasets.find(str(tmp_path)),
        size=SIDE,
        seed=0,
        reading=DEFAULT_READING,
        readers=1,
        device="cpu",
        progress=lambda *step: steps.append(step),
    )


def encoded(state, *specs):
    return state.encode(gather(list(specs))[0], SIDE), labelled(state.collect())


def accuracy(predicted, dataset):
    return {name: [each.accuracy(dataset.labels) for each in parts]
            for name, parts in predicted.items()}  # fmt: skip


def test_what_hangs_on_colour_is_lost_without_it(state):
    candidates, dataset = encoded(state, "histogram", "pixels")
    _, predicted = predict_variants(candidates, dataset, True, state)
    assert list(predicted) == [ORIGINAL, *VARIANTS]
    scored = accuracy(predicted, dataset)
    for name in (ORIGINAL, "colour only", "blocks shuffled"):
        assert min(scored[name]) > 0.95, name
    assert max(scored["no colour"]) < 0.75
    assert max(scored["edges only"]) < 0.75


def test_the_images_as_they_are_have_the_scores_that_they_had(state):
    candidates, dataset = encoded(state, "histogram")
    own = predictions.predict(candidates[0], dataset)
    for complete in (True, False):
        (again,) = predict_variants(candidates, dataset, complete, state).predictions[ORIGINAL]
        np.testing.assert_array_equal(again.probe, own.probe)


def test_a_second_run_embeds_nothing_and_the_cache_holds_no_vectors(state, monkeypatch):
    candidates, dataset = encoded(state, "histogram", "pixels")
    vectors = sorted((cache.root() / "codes").iterdir())
    _, first = predict_variants(candidates, dataset, True, state)
    assert sorted((cache.root() / "codes").iterdir()) == vectors
    monkeypatch.setattr(encode, "embed", None)
    _, second = predict_variants(candidates, dataset, True, state)
    for name in first:
        for one, other in zip(first[name], second[name], strict=True):
            np.testing.assert_array_equal(one.probe, other.probe)
            np.testing.assert_array_equal(one.folds[0].scores, other.folds[0].scores)


def test_an_interrupted_run_continues(state, monkeypatch):
    candidates, dataset = encoded(state, "histogram", "pixels")
    embed, calls = encode.embed, []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return embed(*arguments)

    monkeypatch.setattr(encode, "embed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        predict_variants(candidates, dataset, True, state)
    predict_variants(candidates, dataset, True, state)
    assert len(calls) == 1 + len(candidates) * len(VARIANTS)


def test_what_refuses_a_variant_is_left_out_of_all(state, monkeypatch):
    candidates, dataset = encoded(state, "histogram", "pixels")
    embed = encode.embed

    def picky(rep, squares, device):
        if rep.spec == "pixels" and set(np.unique(squares)) <= {0, 255}:
            raise RuntimeError("needs more than two levels")
        return embed(rep, squares, device)

    monkeypatch.setattr(encode, "embed", picky)
    taken, predicted = predict_variants(candidates, dataset, True, state)
    assert [each.spec for each in taken] == ["histogram"]
    assert [len(parts) for parts in predicted.values()] == [1] * 8
    monkeypatch.setattr(encode, "embed", lambda *_: 1 / 0)
    taken, predicted = predict_variants(candidates[1:], dataset, True, state)
    assert taken == () and set(predicted) == {ORIGINAL, *VARIANTS}


def test_a_full_disk_is_no_refusal(state, monkeypatch):
    candidates, dataset = encoded(state, "histogram")

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(encode, "embed", full)
    with pytest.raises(OSError, match="no space"):
        predict_variants(candidates, dataset, True, state)


def test_the_progress_counts_every_variant_of_every_candidate(state, steps):
    candidates, dataset = encoded(state, "histogram", "pixels")
    predict_variants(candidates, dataset, True, state)
    done = [(number, total) for step, number, total in steps if step == STEP]
    assert done == [(number, 16) for number in range(17)]


def test_many_changed_images_lie_in_a_file(monkeypatch):
    monkeypatch.setattr(module, "_MAX_BYTES", 10)
    room = module._room((2, 6))
    room[:] = 7
    assert isinstance(room, np.memmap) and (np.array(room) == 7).all()
    assert type(module._room((2, 5))) is np.ndarray
