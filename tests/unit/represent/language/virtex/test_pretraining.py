"""The losses of the five tasks."""

import pytest
import torch
import torch.nn.functional as F
from caption_fixture import head

from imrep.represent.language.virtex import pretraining
from imrep.represent.language.virtex.textual import LinearHead
from imrep.represent.language.virtex.tokens import MASK

TOKENS = torch.tensor([[1, 7, 9, 12, 33, 2], [1, 5, 2, 0, 0, 0]])
LENGTHS = torch.tensor([6, 3])
MAPS = torch.randn(2, 16, 3, 4, generator=torch.Generator().manual_seed(0))


def test_captions_are_reversed_without_their_padding():
    expected = [[2, 33, 12, 9, 7, 1], [2, 5, 1, 0, 0, 0]]
    assert pretraining.reversed_tokens(TOKENS, LENGTHS).tolist() == expected


def test_both_directions_are_added():
    made = head()
    both = pretraining.captioning(made, MAPS, TOKENS, LENGTHS, bidirectional=True)
    forward = pretraining.captioning(made, MAPS, TOKENS, LENGTHS, bidirectional=False)
    backwards = pretraining.reversed_tokens(TOKENS, LENGTHS)
    logits = made(MAPS, backwards, LENGTHS, backward=True)[:, :-1]
    expected = F.cross_entropy(logits.flatten(0, 1), backwards[:, 1:].flatten(), ignore_index=0)
    assert float((both - forward - expected).detach()) == pytest.approx(0, abs=1e-4)


def test_the_loss_is_a_mean_over_tokens_not_captions():
    made = head()
    one, other = (
        pretraining.captioning(
            made, MAPS[i : i + 1], TOKENS[i : i + 1], LENGTHS[i : i + 1], bidirectional=False
        )
        for i in range(2)
    )
    together = pretraining.captioning(made, MAPS, TOKENS, LENGTHS, bidirectional=False)
    assert torch.allclose(together, (5 * one + 2 * other) / 7, atol=1e-5)


def test_padding_of_a_batch_does_not_matter():
    made = head()
    batch = {"caption_tokens": TOKENS, "caption_length": LENGTHS}
    wider = {"caption_tokens": F.pad(TOKENS, (0, 20)), "caption_length": LENGTHS}
    losses = [pretraining.loss("bicaptioning", made, MAPS, each) for each in (batch, wider)]
    assert torch.allclose(*losses)


@torch.no_grad()
def test_words_of_a_caption_count_once():
    linear = LinearHead(16, 50)
    logs = linear(MAPS).log_softmax(1)
    tokens = torch.tensor([[1, 7, 7, 9, 2, 0], [1, 5, 2, 0, 0, 0]])
    expected = -((logs[0, 7] + logs[0, 9]) / 2 + logs[1, 5]) / 2
    assert torch.allclose(pretraining.token_classification(linear, MAPS, tokens), expected)


@torch.no_grad()
def test_captions_without_a_word_do_not_count():
    linear = LinearHead(16, 50)
    empty = torch.tensor([[1, 2, 0], [1, 5, 2]])
    alone = pretraining.token_classification(linear, MAPS[1:], empty[1:])
    assert torch.allclose(pretraining.token_classification(linear, MAPS, empty), alone)
    assert float(pretraining.token_classification(linear, MAPS, empty[:1].expand(2, -1))) == 0


@torch.no_grad()
def test_labels_are_padded_by_minus_one():
    linear = LinearHead(16, 5)
    logs = linear(MAPS).log_softmax(1)
    labels = torch.tensor([[4, 2, -1], [1, -1, -1]])
    expected = -((logs[0, 4] + logs[0, 2]) / 2 + logs[1, 1]) / 2
    batch = {"labels": labels}
    loss = pretraining.loss("multilabel-classification", linear, MAPS, batch)
    assert torch.allclose(loss, expected)


def test_masks_cover_fifteen_percent_of_the_words():
    torch.manual_seed(0)
    tokens = torch.randint(4, 1000, (400, 40))
    tokens[:, 0], tokens[:, 39] = 1, 2
    masked, targets = pretraining.mask_words(tokens, torch.full((400,), 40), 1000)
    selected = targets > 0
    assert bool((selected.sum(1) == round(0.15 * 38)).all())
    assert not bool(selected[:, [0, 39]].any())
    assert bool((masked[~selected] == tokens[~selected]).all())
    shares = [
        (masked[selected] == MASK).float().mean().item(),
        ((masked != tokens) & (masked != MASK))[selected].float().mean().item(),
    ]
    assert shares == pytest.approx([0.85, 0.10], abs=0.03)


def test_at_least_one_word_is_masked():
    masked, targets = pretraining.mask_words(TOKENS, LENGTHS, 50)
    assert (targets > 0).sum(1).tolist() == [1, 1]
    assert masked.shape == TOKENS.shape


def test_masked_words_are_predicted_from_both_sides():
    made = head(bidirectional=False)
    torch.manual_seed(0)
    loss = pretraining.masked_language_modelling(made, MAPS, TOKENS, LENGTHS)
    loss.backward()
    assert loss.item() > 0 and made.visual_projection.weight.grad.abs().sum() > 0
