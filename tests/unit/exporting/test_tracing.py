"""Graphs have an open batch, or a reason why there is none."""

import pytest
import torch
from torch import nn

import imrep
from imrep.errors import BadParameter
from imrep.exporting import tracing


class Depends(nn.Module):
    """As many numbers as there are bright pixels."""

    def forward(self, squares):
        return squares[squares > 100].float()[: int(squares.sum())]


class Scales(nn.Module):
    def forward(self, squares):
        return squares.float().mean((1, 2)) / 255


def test_the_batch_is_open():
    program = tracing.trace(Scales(), 8, "scales")
    for count in (1, 7):
        squares = torch.full((count, 8, 8, 3), 51, dtype=torch.uint8)
        assert torch.allclose(program.module()(squares), torch.full((count, 3), 0.2))
    assert tracing.without_complex(program, 8) is program


def test_the_reason_of_torch_is_one_line():
    with pytest.raises(
        BadParameter, match=r"depends cannot be exported: torch.export says"
    ) as info:
        tracing.trace(Depends(), 8, "depends")
    assert "\n" not in str(info.value)


def test_views_of_a_sum_are_asked():
    with pytest.raises(BadParameter, match=r"^blob cannot be exported"):
        tracing.check([imrep.get("pixels+blob")])
    tracing.check([imrep.get("pixels+dct")])
