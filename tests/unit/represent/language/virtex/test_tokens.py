"""Captions as tokens: normalisation, special ids, words, training, files that are none."""

import pytest
import torch
from caption_fixture import CAPTIONS, NEEDS_SENTENCEPIECE

from imrep.errors import BadData, BadParameter
from imrep.represent.language.virtex.tokens import END, PAD, START, Tokens, mirrored, normalised

pytestmark = NEEDS_SENTENCEPIECE


@pytest.fixture(scope="module")
def tokens():
    learned = Tokens("virtex")
    learned.train_on(CAPTIONS, 120)
    return learned


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A Café\n", "a cafe"),
        ("ﬁve  ½", "five 1⁄2"),
        ("ÅÉ", "ae"),
        ("\u0301", ""),
        ("שָׁלוֹם", "שלום"),
    ],
)
def test_normalisation(text, expected):
    assert normalised(text) == expected


def test_left_and_right_are_exchanged_as_words():
    text = "left of the rightmost bright cleft, a right-hand turn leftwards"
    expected = "right of the leftmost bright cleft, a left-hand turn rightwards"
    assert mirrored(text) == expected
    assert mirrored(mirrored(text)) == text


def test_captions_come_back_from_their_tokens(tokens):
    for caption in CAPTIONS:
        ids = tokens.encode(caption, 30)
        assert ids[0] == START and ids[-1] == END and min(ids[1:-1]) > END
        assert tokens.decode(ids) == normalised(caption)


def test_long_captions_lose_their_end(tokens):
    ids = tokens.encode(" ".join(CAPTIONS * 20), 30)
    assert len(ids) == 30 and END not in ids


def test_unknown_characters_become_padding(tokens):
    assert PAD in tokens.encode("a red 😀", 30)
    assert tokens.encode("", 30) == [START, END]


def test_words_of_several_pieces_are_joined():
    learned = Tokens("virtex")
    learned.train_on(["red circle"] * 2 + ["square"], 5)  # hardly more than single letters
    ids = learned.encode("red circle square", 30)
    words = learned.words([*ids, END, START])
    assert [word for word, _ in words] == ["red", "circle", "square"]
    assert sorted(i for _, positions in words for i in positions) == [*range(1, len(ids) - 1)]


def test_equal_captions_give_equal_tokens(tokens):
    again = Tokens("virtex")
    again.train_on(iter(CAPTIONS), 120)
    assert torch.equal(again.model, tokens.model)
    assert again.count <= 120


def test_bytes_of_any_number_are_loaded(tokens):
    other = Tokens("virtex")
    other.load_state_dict(tokens.state_dict())
    assert other.encode(CAPTIONS[0], 30) == tokens.encode(CAPTIONS[0], 30)


def test_captions_without_words_are_refused():
    with pytest.raises(BadData, match="captions with words"):
        Tokens("virtex").train_on(["", " \u0301"], 100)


def test_without_a_model_it_says_so():
    with pytest.raises(BadParameter, match="tokenizer=FILE"):
        Tokens("virtex").encode("a", 30)


def test_other_files_are_refused(tmp_path):
    (tmp_path / "other.model").write_bytes(b"\x80\x04 no model")
    for path in (tmp_path / "other.model", tmp_path / "none.model"):
        with pytest.raises(BadParameter, match="virtex"):
            Tokens("virtex").read(path)


def test_tokenizers_with_other_special_ids_are_refused(tmp_path):
    import sentencepiece

    with (tmp_path / "other.model").open("wb") as file:
        sentencepiece.SentencePieceTrainer.Train(
            sentence_iterator=iter(CAPTIONS), model_writer=file, vocab_size=40,
            hard_vocab_limit=False, minloglevel=2,
        )  # fmt: skip
    with pytest.raises(BadParameter, match="ids 0 to 3"):
        Tokens("virtex").read(tmp_path / "other.model")
