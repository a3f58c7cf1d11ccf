"""`imrep caption`: csv and JSON of an image and of a folder, and what it refuses."""

import csv
import io
import json

import pytest
import torch
from caption_fixture import CAPTIONS, NEEDS_SENTENCEPIECE, SMALL
from commands import run

import imrep
from imrep.represent.language.virtex.tokens import Tokens

pytestmark = NEEDS_SENTENCEPIECE


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A saved model with random weights and tokens."""
    tokens = Tokens("virtex")
    tokens.train_on(CAPTIONS, 60)
    rep = imrep.get(SMALL, vocabulary=tokens.count)
    rep.tokens.model = tokens.model
    with torch.no_grad():
        for parameter in rep.textual.parameters():
            parameter.mul_(6)
    return rep.save(tmp_path_factory.mktemp("model") / "model")


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_an_image_has_several_captions_with_scores(cat, model):
    done = run("caption", cat, model, "--count", 3)
    written = rows(done.stdout)
    assert [row["path"] for row in written] == [str(cat)] * len(written)
    scores = [float(row["score"]) for row in written]
    assert scores == sorted(scores, reverse=True) and 1 < len(written) <= 3
    expected = imrep.load(model).caption(imrep.read(cat), count=3)[0]
    assert len(expected) == len(written)


def test_a_folder_is_written_to_a_file(photos, model, tmp_path):
    out = tmp_path / "captions.csv"
    done = run("caption", photos, model, "-o", out, "-q")
    assert "12 captions of 12 images" in done.stdout
    assert "broken.jpg" in done.stderr
    written = rows(out.read_text())
    assert len({row["path"] for row in written}) == 12
    assert not list(tmp_path.glob("*.part"))
    run("caption", photos, model, "-o", out, "-q", "--strict", expect=3)


def test_json_holds_the_same(photos, model):
    content = json.loads(run("caption", photos, model, "--json", "-q").stdout)
    written = rows(run("caption", photos, model, "-q").stdout)
    pairs = [(e["path"], e["captions"][0]["caption"]) for e in content["images"]]
    assert pairs == [(row["path"], row["caption"]) for row in written]
    assert content["skipped"][0]["path"].endswith("broken.jpg")


def test_sampling_follows_the_seed(cat, model):
    options = ("caption", cat, model, "--nucleus", 0.95, "--count", 4, "--seed")
    first, same, other = (run(*options, seed).stdout for seed in (0, 0, 1))
    assert first == same != other


def test_other_representations_are_refused(cat):
    done = run("caption", cat, "hog", expect=1)
    assert "writes captions, got hog" in done.stderr


def test_published_weights_are_not_fetched_unasked(cat, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    done = run("caption", cat, expect=1)
    assert "--download" in done.stderr and "Traceback" not in done.stderr


def test_a_model_without_tokens_says_so(cat):
    done = run("caption", cat, SMALL, expect=1)
    assert "tokenizer=FILE" in done.stderr


def test_words_are_pictured(cat, model, tmp_path):
    out = tmp_path / "words.png"
    run("picture", cat, f"virtex:weights='{model}',show=words", "-o", out)
    assert imrep.read(out).shape[2] > 100
