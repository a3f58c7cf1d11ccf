"""Vectors by their keys, in parts."""

import numpy as np
import pytest

from imrep.embedding.keyed_vectors import KeyedVectors


@pytest.fixture
def store(tmp_path):
    """Two parts: vectors of a and c with a reason between, then one of d."""
    store = KeyedVectors(tmp_path)
    store.append(["a", "b", "c"], np.float32([[1, 2], [3, 4]]), ["", "it is broken.", ""])
    store.append(["d"], np.float32([[5, 6]]))
    return store


def test_what_was_requested_comes_back(store):
    entries = store.select(["c", "d", "b", "missing"])
    assert set(entries) == {"b", "c", "d"} and entries["b"] == "it is broken."
    assert entries["c"].tolist() == [3, 4] and entries["d"].tolist() == [5, 6]


def test_a_part_may_hold_reasons_alone(store):
    store.append(["e"], np.empty((0, 0), np.float32), ["it is gone."])
    assert store.select(["e", "a"])["e"] == "it is gone."


def test_a_later_part_counts(store):
    store.append(["a"], np.float32([[7, 8]]))
    assert store.select(["a"])["a"].tolist() == [7, 8]
