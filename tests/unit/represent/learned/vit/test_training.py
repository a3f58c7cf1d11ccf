"""Tokens that are computed once, or anew where they do not fit."""

import numpy as np
import torch

from imrep.represent.learned.vit import training


def counted(monkeypatch, limit):
    monkeypatch.setattr(training, "_MAX_BYTES", limit)
    images, calls = torch.rand(40, 3, 2, 2), []

    def encode(image):
        calls.append(len(image))
        return image.flatten(2)

    return images, calls, training.tokens_of(lambda rows: images[rows], encode, 40)


def test_tokens_in_memory_are_computed_once(monkeypatch):
    images, calls, tokens = counted(monkeypatch, 2**20)
    assert sum(calls) == 41 and max(calls) <= 16
    rows = np.array([5, 39, 5, 0])
    torch.testing.assert_close(tokens(rows), images[rows].flatten(2), atol=1e-3, rtol=1e-3)
    assert sum(calls) == 41


def test_too_many_tokens_are_computed_anew(monkeypatch):
    images, calls, tokens = counted(monkeypatch, 100)
    assert sum(calls) == 1
    rows = np.arange(40)[::-1].copy()
    assert torch.equal(tokens(rows), images[rows].flatten(2))
    assert sum(calls) == 41
