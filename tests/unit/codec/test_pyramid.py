"""Laplacian-pyramid coding of one plane: the error bound of closed-loop quantisation."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imrep.codec import pyramid

LEVELS = 255


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([0.02, 0.5, 1.0, 2.0]))
def test_no_sample_is_off_by_more_than_half_a_step(height, width, scale):
    plane = torch.rand(height, width) - 0.5
    coarse, details = pyramid.analyse(plane, scale, True)
    again = pyramid.synthesise(coarse, details, (height, width), scale, True)
    step = min(max(24 * scale**0.6, 0.25), 128) / LEVELS
    assert (again - plane).abs().max() <= step / 2 + 1e-6


@pytest.mark.parametrize("size", [(8, 8), (1, 1), (33, 18)])
def test_sizes_are_those_announced(size):
    coarse, details = pyramid.analyse(torch.rand(size), 1.0, True)
    assert tuple(coarse.shape) == pyramid.coarse_size(size)
    assert len(details) == pyramid.detail_count(size)
    assert coarse.dtype == details.dtype == torch.int16


def test_chroma_has_the_steps_of_luma():
    plane = torch.rand(20, 30)
    luma, chroma = (pyramid.analyse(plane, 1.0, is_luma) for is_luma in (True, False))
    assert torch.equal(luma[0], chroma[0]) and torch.equal(luma[1], chroma[1])


def test_a_constant_plane_has_no_details():
    _, details = pyramid.analyse(torch.zeros(20, 20), 1.0, True)
    assert not details.any()
