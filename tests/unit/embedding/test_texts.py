"""Vectors of texts: computed once, for every representation on its own."""

import numpy as np
import pytest
import torch

from imrep.embedding import texts
from imrep.errors import BadParameter


class Lengths:
    """The length of each text, and a record of what was computed."""

    def __init__(self, fingerprint="a"):
        self.fingerprint, self.computed = fingerprint, []

    def embed_text(self, own):
        if any(not text for text in own) or not own:
            raise BadParameter("lengths needs words.")
        self.computed += own
        return torch.tensor([[float(len(text)), 1.0] for text in own])


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))


def test_a_thousand_prompts_twice_cost_once():
    rep, prompts = Lengths(), [f"a photo of {i}" for i in range(1000)]
    first = texts.embed(rep, prompts)
    assert first[:, 0].tolist() == [len(text) for text in prompts] and first.dtype == np.float32
    again = Lengths()
    assert np.array_equal(texts.embed(again, prompts), first)
    assert len(rep.computed) == 1000 and not again.computed


def test_only_new_texts_are_computed_and_repeated_ones_once():
    texts.embed(Lengths(), ["a", "bb"])
    rep = Lengths()
    vectors = texts.embed(rep, ["bb", "ccc", "a", "ccc"])
    assert vectors[:, 0].tolist() == [2, 3, 1, 3] and rep.computed == ["ccc"]


def test_other_weights_have_vectors_of_their_own():
    texts.embed(Lengths("a"), ["a"])
    rep = Lengths("b")
    texts.embed(rep, ["a"])
    assert rep.computed == ["a"]


def test_what_was_stored_before_an_interruption_stays(monkeypatch):
    monkeypatch.setattr(texts, "_BATCH", 2)
    rep = Lengths()

    def interrupted(_step, done, _count):
        if done == 4:
            raise KeyboardInterrupt

    names = [str(i) for i in range(7)]
    with pytest.raises(KeyboardInterrupt):
        texts.embed(rep, names, interrupted)
    again, steps = Lengths(), []
    texts.embed(again, names, lambda *step: steps.append(step))
    assert again.computed == names[4:]
    assert steps == [("embedding texts", 2, 3), ("embedding texts", 3, 3)]


@pytest.mark.parametrize("own", [[], ["a", ""]])
def test_what_is_no_text_is_refused_by_the_representation(own):
    with pytest.raises(BadParameter, match="needs words"):
        texts.embed(Lengths(), own)
