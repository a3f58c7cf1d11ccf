"""Classes by their names."""

import numpy as np
import pytest
import tiny_bilingual
import torch
from tiny_bilingual import Tiny

import imrep
from imrep.errors import BadParameter
from imrep.language import text_vectors, zeroshot


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))


def test_weights_are_the_normalised_mean_of_normalised_prompts():
    made = zeroshot.classifier(Tiny(), ["red", "blue"], ("{}", "{} and white"))
    expected = Tiny().embed_text(["red", "red and white", "blue", "blue and white"])
    mean = expected.reshape(2, 2, -1).mean(1)
    assert np.allclose(made.weights, mean / mean.norm(dim=1, keepdim=True), atol=1e-6)


def test_shares_are_the_softmax_of_scaled_cosines_and_ignore_length():
    made = zeroshot.classifier(Tiny(sharp=7.0), ["red", "blue", "green"])
    vectors = Tiny().embed(torch.rand(5, 3, 4, 4)).numpy()
    shares = made.probabilities(9 * vectors)
    expected = torch.softmax(7 * torch.from_numpy(vectors @ made.weights.T), 1)
    assert np.allclose(shares, expected, atol=1e-6) and np.allclose(shares.sum(1), 1)


def test_texts_are_embedded_once():
    tiny_bilingual.COUNTS["texts"] = 0
    texts = [f"red {i}" for i in range(1000)]
    first = text_vectors.embed(Tiny(), [*texts, "red 0"])
    assert tiny_bilingual.COUNTS["texts"] == 1000
    again = text_vectors.embed(Tiny(), texts)
    assert tiny_bilingual.COUNTS["texts"] == 1000 and (again == first[:1000]).all()
    text_vectors.embed(Tiny(), ["blue", *texts])
    assert tiny_bilingual.COUNTS["texts"] == 1001
    text_vectors.embed(Tiny(sharp=3.0), ["blue"])  # another representation
    assert tiny_bilingual.COUNTS["texts"] == 1002


def test_what_embeds_no_text_is_refused():
    with pytest.raises(BadParameter, match=r"classify needs .* embeds text, got hog"):
        text_vectors.bilingual(imrep.get("hog"), "classify")
