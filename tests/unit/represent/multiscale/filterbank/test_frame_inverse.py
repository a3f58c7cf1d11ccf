"""Banks of circular filters: the adjoint, the power, the solver's answer against a dense one."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imrep.represent.multiscale.filterbank import filters, frame_inverse, shrinkage


def normal(*shape):
    return torch.randn(*shape, dtype=torch.float64)


@given(st.integers(3, 12), st.integers(3, 12), st.integers(1, 3), st.integers(1, 3))
def test_spectra_are_those_of_centred_kernels(height, width, rows, columns):
    kernels = normal(4, rows, columns)
    whole = torch.zeros(4, height, width, dtype=torch.float64)
    for v in range(rows):
        for u in range(columns):
            whole[:, (v - rows // 2) % height, (u - columns // 2) % width] = kernels[:, v, u]
    torch.testing.assert_close(
        frame_inverse.spectra(kernels, height, width), torch.fft.rfft2(whole)
    )


@given(st.integers(3, 12), st.integers(3, 12))
def test_gather_is_the_adjoint_of_respond(height, width):
    spectra = frame_inverse.spectra(normal(5, 3, 2), height, width)
    x, maps = normal(2, 3, height, width), normal(2, 3, 5, height, width)
    one = (frame_inverse.respond(x, spectra) * maps).sum()
    torch.testing.assert_close(one, (x * frame_inverse.gather(maps, spectra)).sum())


def test_blocks_cover_the_filters_once():
    small, large = torch.empty(1, 3, 8, 8), torch.empty(1, 3, 300, 300)
    assert list(frame_inverse.blocks(small, 25)) == [slice(0, 25)]
    assert sum(len(range(25)[some]) for some in frame_inverse.blocks(large, 25)) == 25
    spectra, x = frame_inverse.spectra(normal(7, 3, 3), 300, 300), normal(1, 2, 300, 300)
    got = frame_inverse.gather(frame_inverse.respond(x, spectra), spectra)
    wanted = torch.fft.irfft2(torch.fft.rfft2(x) * frame_inverse.power(spectra), s=(300, 300))
    torch.testing.assert_close(got, wanted)


@pytest.mark.parametrize("tikhonov", [0.0, 0.01])
def test_solve_is_least_squares(tikhonov):
    spectra = frame_inverse.spectra(normal(6, 3, 3), 5, 6)
    values, known = normal(1, 1, 6, 5, 6), torch.rand(1, 1, 6, 5, 6) < 0.6
    rows = torch.stack(
        [
            frame_inverse.respond(unit.view(1, 1, 5, 6), spectra).flatten()
            for unit in torch.eye(30).double()
        ]
    ).T[known.flatten()]
    ease = tikhonov * frame_inverse.power(spectra).max()
    wanted = torch.linalg.solve(
        rows.T @ rows + ease * torch.eye(30), rows.T @ values[known].flatten()
    )
    got = frame_inverse.solve(values, known, spectra, tikhonov=tikhonov, iterations=200)
    torch.testing.assert_close(got.flatten(), wanted)


def test_without_any_known_response_the_solution_is_zero():
    spectra = frame_inverse.spectra(normal(2, 3, 3), 5, 6)
    known = torch.zeros(1, 1, 2, 5, 6, dtype=torch.bool)
    assert frame_inverse.solve(normal(1, 1, 2, 5, 6), known, spectra).abs().max() == 0


@pytest.mark.parametrize("bank", sorted(filters.BANKS))
@pytest.mark.parametrize("size", [(8, 9), (9, 8)])
def test_noise_is_as_loud_in_a_map_as_its_filter_is_long(bank, size):
    kernels = filters.BANKS[bank](5)
    loud = shrinkage._gains(frame_inverse.spectra(kernels, *size), size[1])
    torch.testing.assert_close(loud, kernels.flatten(1).norm(dim=1))


def test_smooth_filters_alone_tell_no_noise():
    spectra = frame_inverse.spectra(torch.ones(1, 2, 2), 6, 6)
    found = shrinkage._estimate_noise(
        torch.rand(1, 1, 6, 6), spectra, torch.tensor([True]), torch.ones(1)
    )
    assert found == 0
