"""Numbers as bytes and back: any numbers, and streams that no numbers have."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imrep.codec import entropy
from imrep.errors import BadFile

_int16 = st.one_of(st.just(0), st.integers(-3, 3), st.integers(-(2**15), 2**15 - 1))


def _tensor(numbers):
    return torch.tensor(numbers, dtype=torch.int16)


@given(
    st.integers(1, 4).flatmap(
        lambda n: st.lists(st.lists(_int16, min_size=n, max_size=n), min_size=1, max_size=5)
    ),
    st.lists(st.lists(_int16, min_size=1, max_size=40), min_size=1, max_size=3),
)
def test_any_numbers_come_back(residual, details):
    coarse, parts = _tensor(residual), [_tensor(part) for part in details]
    streams = entropy.write([coarse, coarse.T.contiguous()], parts)
    kinds = dict(zip(entropy.NAMES, entropy.TYPES, strict=True))
    assert {name: stream.dtype for name, stream in streams.items()} == kinds
    sizes = [tuple(coarse.shape), tuple(coarse.T.shape)]
    pictures, result = entropy.read(streams, sizes, sum(map(len, details)))
    assert torch.equal(pictures[0], coarse) and torch.equal(pictures[1], coarse.T)
    assert torch.equal(result, torch.cat(parts))


def test_long_runs_of_zeros_and_many_runs(monkeypatch):
    details = torch.zeros(5000, dtype=torch.int16)
    details[[0, 255, 511, 512, 4999]] = _tensor([1, -300, 127, -128, 5])
    complete = entropy.write([_tensor([[0]])], [details])
    assert complete["gaps"].tolist() == [0, 254, 255, 0, 255] and len(complete["large"]) == 4
    monkeypatch.setattr(entropy, "_RUN", 2)
    parts = entropy.write([_tensor([[0]])], details.split(1700))
    assert all(torch.equal(parts[name], complete[name]) for name in entropy.NAMES)
    assert torch.equal(entropy.read(parts, [(1, 1)], 5000)[1], details)


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("rest", [0, 0, 0]),
        ("gaps", [1]),
        ("gaps", [3, 9]),
        ("gaps", [3, 255]),
        ("large", [70]),
        ("large", []),
        ("large", [300, 300]),
        ("large", [2**31 - 1]),
    ],
)
def test_streams_that_belong_to_no_such_image_are_refused(name, numbers):
    streams = entropy.write([_tensor([[1, 2], [3, 20000]])], [_tensor([0, 0, 0, 7, 0, 1, 0])])
    changed = {**streams, name: torch.tensor(numbers, dtype=streams[name].dtype)}
    with pytest.raises(BadFile, match="decode needs"):
        entropy.read(changed, [(2, 2)], 7)
