"""Recall: exact on vectors whose ranks are known, chance on others."""

import pytest
import torch

from imrep.represent.language.clip import retrieval


def test_equal_vectors_recall_all_and_alike_ones_nothing():
    vectors, ids = torch.eye(12), torch.arange(12)[:, None]
    assert set(retrieval.evaluation(vectors, vectors, ids).numbers.values()) == {1.0}
    alike = torch.ones(12, 12)
    assert retrieval.recalls(alike, torch.eye(12, dtype=torch.bool))[:2] == [0.0, 0.0]


def test_a_known_rank():
    similarity = torch.tensor([[0.9, 0.8, 0.1], [0.2, 0.5, 0.1], [0.1, 0.2, 0.0]])
    own = torch.tensor([[False, True, False], [False, True, False], [False, False, True]])
    assert retrieval.recalls(similarity, own) == pytest.approx([1 / 3, 1.0, 1.0])


def test_equal_texts_are_one():
    vectors = torch.eye(3)[[0, 0, 1, 2]]
    ids = torch.tensor([[5], [5], [6], [7]])
    numbers = retrieval.evaluation(vectors, vectors, ids).numbers
    assert numbers["image to text R@1"] == numbers["text to image R@1"] == 1.0
