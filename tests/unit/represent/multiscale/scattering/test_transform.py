"""Scattering's parts: filters in closed form, plans, and kernels against their twins in torch."""

import numpy as np
import pytest
import torch

import imrep
from imrep import _native
from imrep.represent.multiscale.scattering import reference, wavelets
from imrep.represent.multiscale.scattering.inverse import enlarged
from imrep.represent.multiscale.scattering.transform import Plan, plan, scatter


def planes(*size):
    return torch.rand(*size, generator=torch.Generator().manual_seed(1))


def test_filters_equal_the_reference(references):
    sizes = {"a": ((40, 40), 2, 8), "b": ((48, 56), 3, 6)}
    stored = references("filters")
    names = [key for key in stored if "_phi_" in key or "_psi_" in key]
    assert len(names) > 20
    for key in names:
        which, kind, *rest = key.split("_")
        size, scales, orientations = sizes[which]
        if kind == "phi":
            rows, columns = (wavelets.gaussian(n, scales) for n in size)
            table = rows[:, None] * columns
        else:
            table = wavelets.morlet(size, int(rest[0][1:]), orientations)[int(rest[1][1:])]
        level = int(rest[-1].removeprefix("r"))
        found = wavelets.crop(table, 2**level).numpy()
        np.testing.assert_allclose(found, stored[key], rtol=0, atol=5e-7)


@pytest.mark.parametrize("orientations", [1, 2, 7, 8])
def test_wavelets_have_no_mean_and_no_size_of_their_own(orientations):
    small, large = (wavelets.morlet((n, 48), 1, orientations) for n in (24, 48))
    assert small[:, 0, 0].abs().max() == 0
    torch.testing.assert_close(large[:, ::2], small, rtol=0, atol=1e-7)


def littlewood_paley(size, scales, orientations):
    """Share of a real image's energy that the filters pass: |φ|² + ½ Σ |ψ(ω)|² + |ψ(-ω)|²."""
    power = torch.outer(*(wavelets.gaussian(n, scales) for n in size)).square()
    for scale in range(scales):
        bank = wavelets.morlet(size, scale, orientations).square().sum(0)
        power += (bank + bank.flip(0, 1).roll((1, 1), (0, 1))) / 2
    return power


def test_energy_is_attenuated_but_hardly_ever_raised():
    passed = littlewood_paley((96, 96), 3, 8)
    assert 1.0 < passed.max() < 1.03 and 0.12 < passed.min() < 0.13


def test_an_angle_of_zero_comes_at_trunc_of_half():
    assert wavelets.angles(8)[3] == wavelets.angles(7)[2] == wavelets.angles(1)[0] == 0


# The sides' transforms have factors 2, 3, 4, 5, 7, 13 and 17, and 1 and 2 samples.
@pytest.mark.parametrize(
    ("size", "scales", "orientations"),
    [((33, 47), 2, 7), ((96, 60), 3, 8), ((44, 60), 2, 8), ((8, 24), 3, 3), ((5, 9), 1, 1)],
)
def test_kernels_equal_their_twin(size, scales, orientations):
    if _native.library("kernels") is None:
        pytest.skip("no kernels here")
    x = planes(3, *size)
    plan = Plan(size, scales, orientations, like=x)
    assert plan.first[0].group is not None
    found = scatter(x, plan)
    with _native.switched_off():
        wanted = scatter(x, plan)
    assert 0 < (found - wanted).norm() < 4e-7 * wanted.norm()


def test_lengths_with_large_primes_are_left_to_torch():
    plan = Plan((70, 16), 1, 2, like=torch.empty(0))  # 74 = 2 · 37
    assert plan.first[0].group is None


def test_kernels_keep_away_from_gradients_and_doubles():
    x = planes(2, 16, 16)
    plan = Plan((16, 16), 2, 4, like=x)
    slope = torch.autograd.grad(scatter(y := x.clone().requires_grad_(), plan).sum(), y)[0]
    torch.testing.assert_close(torch.func.grad(lambda z: scatter(z, plan).sum())(x), slope)
    assert slope.abs().max() > 0
    double = Plan((16, 16), 2, 4, like=x.double())
    assert scatter(x.double(), double).dtype == torch.float64


def test_any_leading_axes_strides_and_sizes_of_tiles(monkeypatch):
    x = planes(2, 3, 24, 20)
    plan = Plan((24, 20), 2, 4, like=x)
    wanted = scatter(x, plan)
    assert wanted.shape == (2, 3, plan.paths, 6, 5)
    assert scatter(x[0, 0], plan).shape == (plan.paths, 6, 5)
    strided = x.transpose(0, 1).contiguous().transpose(0, 1)
    torch.testing.assert_close(scatter(strided, plan), wanted)
    monkeypatch.setattr("imrep.represent.multiscale.scattering.transform._TILE_BYTES", 1)
    for off in (False, True):
        if off:
            monkeypatch.setattr(_native, "_off", True)
        found = scatter(x, plan)
        assert (found - wanted).norm() < 4e-7 * wanted.norm()


def test_a_plan_refuses_planes_of_another_size():
    plan = Plan((16, 16), 2, 4, like=torch.empty(0))
    with pytest.raises(ValueError, match="planes of 16×16, got 16×20"):
        scatter(planes(16, 20), plan)


def test_enlarged_averages_stand_at_the_corners_of_their_cells():
    x = planes(1, 32, 40).double()
    plan = Plan((32, 40), 2, 2, like=x)
    ramp = torch.arange(8.0)[:, None] + torch.zeros(8, 10)
    found = enlarged(ramp[None].double(), plan)[0]
    torch.testing.assert_close(found[4:24, 0], torch.arange(4, 24).double() / 4)


def test_caches_of_inference_mode_serve_gradients_afterwards():
    rep = imrep.get("scattering", scales=2)
    image = torch.rand(1, 3, 37, 41)
    with torch.inference_mode():
        rep.embed(image)
    image.requires_grad_()
    rep.embed(image).sum().backward()
    assert image.grad.isfinite().all()


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (16, 40)])
@pytest.mark.parametrize(("scales", "orientations", "order"), [(1, 3, 2), (2, 4, 1), (3, 8, 2)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_fast_transform_is_the_papers(size, scales, orientations, order, dtype):
    x = planes(*size).to(dtype)
    layout = plan(tuple(x.shape), scales, orientations, order, False, dtype, x.device)
    slow = reference.scattering(x, scales, orientations, order)
    torch.testing.assert_close(
        scatter(x, layout), slow.to(dtype), rtol=0, atol=2e-6 if dtype == torch.float32 else 1e-13
    )
