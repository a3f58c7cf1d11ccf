"""The textual head: the authors' numbers, its parameters, its masks, its alignment."""

import pytest
import torch
from caption_fixture import head, official_head

from imrep.represent.language.virtex.pretraining import captioning

TOKENS = torch.tensor([[1, 7, 9, 12, 33, 2], [1, 5, 2, 0, 0, 0]])
LENGTHS = torch.tensor([6, 3])
MAPS = torch.randn(2, 16, 3, 4, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def stored(refs):
    path = refs / "learned" / "virtex_tiny_postnorm.pt"
    return torch.load(path, weights_only=True)


def close(actual, expected):
    return torch.allclose(actual, expected, rtol=1e-5, atol=1e-5)


def test_logits_of_the_authors(stored):
    made = official_head(stored)
    maps, lengths = stored["visual_features"], stored["caption_lengths"]
    assert close(made(maps, stored["caption_tokens"], lengths), stored["forward_logits"])
    backward = made(maps, stored["noitpac_tokens"], lengths, backward=True)
    assert close(backward, stored["backward_logits"])


def test_loss_and_gradients_of_the_authors(stored):
    made = official_head(stored)
    backbone = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, 2, 1), torch.nn.ReLU(), torch.nn.Conv2d(8, 16, 3, 2, 1),
        torch.nn.ReLU(),
    )  # fmt: skip
    start = "visual.cnn."
    backbone.load_state_dict(
        {k.removeprefix(start): v for k, v in stored["state_dict"].items() if k.startswith(start)}
    )
    tokens, lengths = stored["caption_tokens"], stored["caption_lengths"]
    loss = captioning(made, backbone(stored["image"]), tokens, lengths, bidirectional=True)
    assert close(loss, stored["loss"])
    loss.backward()
    for name, expected in stored["grads"].items():
        module, inner = (made, name.partition(".")[2])
        if name.startswith(start):
            module, inner = backbone, name.removeprefix(start)
        direction = "backward_decoder" if name.startswith("backward") else "decoder"
        inner = inner.replace("transformer", direction).replace("output.bias", "bias")
        assert close(module.get_parameter(inner).grad, expected), name


@pytest.mark.parametrize(("width", "total"), [(512, 38_111_568), (1024, 69_482_320)])
def test_parameter_counts_of_the_authors(width, total):
    with torch.device("meta"):
        from imrep.represent.language.virtex.textual import Sizes, TextualHead
        from imrep.represent.language.virtex.visual import VisualBackbone

        sizes = Sizes(2048, 10000, 30, width, 1, width // 64, 4 * width, False, 0.1)
        modules = (VisualBackbone("resnet50"), TextualHead(sizes))
    counts = [sum(p.numel() for p in module.parameters()) for module in modules]
    assert counts[0] == 23_508_032 and sum(counts) == total


@pytest.mark.parametrize("changes", [{}, {"norm_first": True}, {"cell": "gru"}, {"cell": "lstm"}])
def test_no_word_depends_on_later_ones(changes):
    made = head(**changes)
    other = TOKENS.clone()
    other[0, 4] = 20
    before, after = (made(MAPS, tokens, LENGTHS) for tokens in (TOKENS, other))
    assert torch.allclose(before[0, :4], after[0, :4], atol=1e-6)
    assert not torch.allclose(before[0, 4], after[0, 4])


def test_padding_changes_nothing():
    made = head()
    short = made(MAPS[1:], TOKENS[1:, :3], LENGTHS[1:])
    assert torch.allclose(made(MAPS, TOKENS, LENGTHS)[1:, :3], short, atol=1e-6)


def test_without_causality_earlier_words_depend_on_later_ones():
    made = head()
    other = TOKENS.clone()
    other[0, 4] = 20
    before, after = (made(MAPS, tokens, LENGTHS, causal=False) for tokens in (TOKENS, other))
    assert not torch.allclose(before[0, 1], after[0, 1])


@pytest.mark.parametrize("changes", [{}, {"cell": "gru"}, {"cell": "lstm"}])
def test_steps_give_the_logits_of_the_complete_caption(changes):
    made = head(**changes)
    expected = made(MAPS[:1], TOKENS[:1], LENGTHS[:1])
    progress = made.start(MAPS[:1])
    for i in range(6):
        logits, progress = made.step(TOKENS[0, i : i + 1], progress)
        assert torch.allclose(logits[0], expected[0, i], atol=1e-5)


@pytest.mark.parametrize("changes", [{}, {"norm_first": True}, {"cell": "gru"}])
def test_alignment_is_where_the_image_matters(changes):
    """Rows sum to one, and moving the positions moves the weights with them."""
    made = head(**changes)
    weights = made.alignment(MAPS[:1], TOKENS[:1])
    assert weights.shape == (1, 6, 12)
    assert torch.allclose(weights.sum(2), torch.ones(1, 6), atol=1e-5)
    flipped = made.alignment(MAPS[:1].flip(3), TOKENS[:1]).unflatten(2, (3, 4)).flip(3)
    assert torch.allclose(flipped.flatten(2), weights, atol=1e-5)


def test_both_directions_start_equal_and_share_the_words():
    made = head()
    pairs = zip(made.decoder.parameters(), made.backward_decoder.parameters(), strict=True)
    assert all(torch.equal(a, b) and a is not b for a, b in pairs)
    assert torch.equal(made.embedding.words.weight[0], torch.zeros(32))
    names = dict(made.named_parameters())
    assert not any("output" in name for name in names)  # the output is the words' weight
