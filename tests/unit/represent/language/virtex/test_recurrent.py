"""The recurrent decoder: additive attention as its paper writes it, and one context vector."""

import pytest
import torch

from imrep.represent.language.virtex.recurrent import RecurrentDecoder

MEMORY = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(0))
WORDS = torch.randn(2, 3, 8, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def test_the_weights_are_the_papers():
    """The softmax over positions of v · tanh(W s + U h)."""
    torch.manual_seed(0)
    made = RecurrentDecoder("gru", "attention", 8, 0.0).eval()
    _, _, weights = made(WORDS, made.start(MEMORY))
    hidden = torch.zeros(2, 8)
    for i in range(3):
        energies = [
            made.score.weight @ (made.query(hidden) + MEMORY[:, j] @ made.key.weight.T).tanh().T
            for j in range(5)
        ]
        expected = torch.cat(energies).T.softmax(1)
        assert torch.allclose(weights[:, i], expected, atol=1e-6)
        context = (expected[..., None] * MEMORY).sum(1)
        hidden = made.cell(torch.cat([WORDS[:, i], context], 1), hidden)


@torch.no_grad()
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_one_context_vector_depends_on_the_order_of_the_positions(cell):
    torch.manual_seed(0)
    outputs = {}
    for context in ("attention", "last"):
        made = RecurrentDecoder(cell, context, 8, 0.0).eval()
        before, _, _ = made(WORDS, made.start(MEMORY))
        after, _, _ = made(WORDS, made.start(MEMORY.flip(1)))
        outputs[context] = torch.allclose(before, after, atol=1e-6)
    assert outputs == {"attention": True, "last": False}


@torch.no_grad()
def test_rows_of_an_image_share_its_memory():
    torch.manual_seed(0)
    made = RecurrentDecoder("lstm", "attention", 8, 0.0).eval()
    alone, _, _ = made(WORDS, made.start(MEMORY))
    wide = made.start(MEMORY).select(torch.tensor([0, 0, 1, 1]))
    twice, _, _ = made(WORDS.repeat_interleave(2, 0), wide)
    assert torch.allclose(twice[::2], alone, atol=1e-6)
    assert torch.allclose(twice[1::2], alone, atol=1e-6)
