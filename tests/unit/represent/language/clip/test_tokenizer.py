"""Texts as tokens: the official numbers, and texts as people write them."""

import json
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from imrep.errors import BadParameter, WeightsNeeded
from imrep.represent.language.clip.tokenizer import Tokenizer

pytestmark = pytest.mark.skipif(  # importing it while tests are collected would take seconds
    find_spec("open_clip") is None, reason="needs the extra clip: pip install 'imrep[clip]'"
)
_END = 49407


def test_ids_are_the_official_ones(refs):
    texts = json.loads((refs / "learned" / "clip.json").read_text())["tok_texts"]
    with np.load(refs / "learned" / "clip.npz") as arrays:
        expected = torch.from_numpy(arrays["tok_ids"])
    for text, row in zip(texts, expected, strict=True):
        if not text:
            continue  # refused
        if row[-1] == _END:
            with pytest.warns(UserWarning, match="reads 77 tokens of a text, and a text is longer"):
                ids = Tokenizer(77).ids([text], "clip")
        else:
            ids = Tokenizer(77).ids([text], "clip")
        assert torch.equal(ids[0], row)


@pytest.mark.parametrize(
    "text",
    [
        "العربية من اليمين إلى اليسار",
        "עברית",
        "日本語のテキスト",
        "हिन्दी",
        "emoji 😀👩‍👩‍👧 🏳️‍🌈",
        "<b>bold</b> &amp; &lt;i&gt;",
        "naïve\u0000caf\u00e9\u200b",
        "tab\tand\nline",
        "..., !!",
    ],
)
def test_every_script_has_tokens(text):
    ids = Tokenizer(77).ids([text], "clip")
    import open_clip

    assert torch.equal(ids, open_clip.tokenize([text]))
    assert (ids == _END).sum() == 1 and ids.max() == _END


def test_a_long_text_is_cut_and_said():
    words = "dog " * 100
    with pytest.warns(UserWarning, match=r"clip reads 12 tokens .* 1 of 2 texts are longer .*dog"):
        ids = Tokenizer(12).ids(["a cat", words], "clip")
    assert ids[1, -1] == _END and ids[1, 0] == _END - 1 and (ids[1] == _END).sum() == 1


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("a cat", r"needs a list of texts, got 'a cat'"),
        ([], "needs a list of texts"),
        (["a", ""], "needs words in every text, got '' at position 1"),
        ([" \n\t"], "at position 0"),
        (["a", None], "needs texts, got None at position 1"),
        ([3], "needs texts, got 3"),
    ],
)
def test_what_is_no_text_is_refused(texts, message):
    with pytest.raises(BadParameter, match=message):
        Tokenizer(77).ids(texts, "clip")


def _sentences():
    """A tokenizer.json with an end behind every text, as SigLIP's."""
    tokenizers = pytest.importorskip("tokenizers", reason="needs the package tokenizers")
    words = {word: i for i, word in enumerate(["<pad>", "</s>", "<unk>", "a", "cat", "dog"])}
    own = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="<unk>"))
    own.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    own.post_processor = tokenizers.processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    return own.to_str()


SIZES = {"text_cfg": {"context_length": 5, "vocab_size": 6}}


def test_a_vocabulary_beside_the_weights_is_read(tmp_path):
    (tmp_path / "tokenizer.json").write_text(_sentences())
    (tmp_path / "tokenizer_config.json").write_text('{"pad_token": {"content": "</s>"}}')
    tokenizer = Tokenizer.beside(tmp_path, SIZES)
    ids = tokenizer.ids(["A cat!", "a"], "clip")  # cleaned: lower case, no punctuation
    assert ids.tolist() == [[3, 4, 1, 1, 1], [3, 1, 1, 1, 1]]
    with pytest.warns(UserWarning, match="longer"):
        assert tokenizer.ids(["a cat a cat a dog"], "clip").tolist() == [[3, 4, 3, 4, 1]]
    tokenizer.save(tmp_path / "saved")
    assert Tokenizer.beside(tmp_path / "saved", SIZES) == tokenizer


def test_the_padding_is_the_one_that_is_named(tmp_path):
    content = _sentences()
    assert Tokenizer.of(SIZES, content, '{"pad_token": "<pad>"}').ids(["a"], "clip")[0, -1] == 0


def test_a_damaged_vocabulary_is_refused():
    pytest.importorskip("tokenizers", reason="needs the package tokenizers")
    with pytest.raises(BadParameter, match=r"cannot read the tokenizer\.json"):
        Tokenizer.of(SIZES, "{]").ids(["a"], "clip")


def test_a_vocabulary_that_is_nowhere_is_needed():
    sizes = {"text_cfg": {**SIZES["text_cfg"], "hf_tokenizer_name": "owner/name"}}
    with pytest.raises(WeightsNeeded, match=r"Allow owner/name with --download"):
        Tokenizer.published(sizes).ids(["a"], "clip")
