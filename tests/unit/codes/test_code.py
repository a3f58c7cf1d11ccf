"""What all codes share: tensors by name, map, slices."""

from dataclasses import dataclass

import pytest
import torch

from imrep.codes import Map, Pyramid, Vector, Views
from imrep.codes.code import Code


@dataclass(frozen=True, repr=False)
class Nested(Code):
    """A code with a tensor, a code, a tuple of both, and metadata."""

    values: torch.Tensor
    inner: Code
    mixed: tuple
    absent: torch.Tensor | None = None
    stride: int = 3
    words: tuple[str, ...] = ()


def nested():
    return Nested(
        torch.zeros(2, 1), Vector(torch.ones(2, 3)), (torch.ones(2), Vector(torch.zeros(2, 2)))
    )


def test_tensors_are_named_by_their_path():
    names = ["values", "inner.values", "mixed.0", "mixed.1.values"]
    assert list(nested().tensors()) == names


def test_map_composes_and_leaves_the_code_and_its_metadata_as_they_are():
    code = nested()
    doubled = code.map(lambda t: t + 1).map(lambda t: 2 * t)
    at_once = code.map(lambda t: 2 * (t + 1))
    for name, tensor in doubled.tensors().items():
        assert torch.equal(tensor, at_once.tensors()[name])
        assert torch.equal(tensor, 2 * (code.tensors()[name] + 1))
    assert (doubled.stride, doubled.words, doubled.absent) == (3, (), None)
    assert not code.values.any()


@pytest.mark.parametrize("which", [slice(0, 1), slice(1, None), slice(None, None, 2), slice(0, 0)])
def test_a_slice_is_that_of_every_tensor(which):
    for name, tensor in nested()[which].tensors().items():
        assert torch.equal(tensor, nested().tensors()[name][which]), name
    assert len(nested()[which]) == len(range(2)[which])


def test_views_of_pyramids_are_sliced_to_the_bottom():
    pyramid = Pyramid((torch.rand(3, 1, 4, 4),), torch.rand(3, 1, 2, 2))
    views = Views((pyramid, Map(torch.rand(3, 1, 4, 4), (4, 4))))
    assert {len(tensor) for tensor in views[1:].tensors().values()} == {2}


def test_the_kind_of_a_code_survives():
    assert type(nested().map(torch.clone)) is Nested and type(nested()[:1].inner) is Vector


def test_a_repr_shows_tuples_and_nested_codes():
    assert repr(nested()) == (
        "Nested(values=float32[2, 1], inner=Vector(values=float32[2, 3]), "
        "mixed=(float32[2], Vector(values=float32[2, 2])), stride=3)"
    )
    one = Pyramid((torch.zeros(1, 1, 2, 2),), torch.zeros(1, 1, 1, 1))
    assert repr(one) == "Pyramid(bands=(float32[1, 1, 2, 2],), rest=float32[1, 1, 1, 1])"
