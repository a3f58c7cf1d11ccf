import numpy as np
import pytest
import torch

from imrep.represent.spatial.composite.losses import OBJECTIVES, composite_loss, paper_loss, parts


@pytest.mark.parametrize("name", ["cif", "caf"])
def test_terms_and_gradients_are_the_official_ones(refs, name):
    stored = np.load(refs / "learned" / "pifpaf_one.npz")
    raw = torch.from_numpy(stored[f"loss_{name}_x"]).double().requires_grad_()
    target = torch.from_numpy(stored[f"two_s16_{name}_target"])[None].double()
    terms = composite_loss(raw, target)
    terms.sum().backward()
    expected = stored[f"loss_{name}_values"]
    assert np.allclose(terms.detach(), expected, rtol=1e-6, atol=0)
    assert np.allclose(raw.grad, stored[f"loss_{name}_grad"], rtol=1e-6, atol=1e-5)


def target(ends, seed=0):
    """(1, 2, 1 + 4 ends, 3, 4) with known, unknown and ignored cells."""
    values = (
        torch.rand(1, 2, 1 + 4 * ends, 3, 4, generator=torch.Generator().manual_seed(seed)) + 0.1
    )
    values[:, :, 0] = 0
    values[:, :, 1:, 1:] = torch.nan
    values[:, :, 0, 0] = 1
    values[:, :, 0, 2] = torch.nan
    return values.double()


@pytest.mark.parametrize("objective", OBJECTIVES.values())
@pytest.mark.parametrize("ends", [1, 2])
def test_the_gradient_is_finite_and_reaches_every_known_cell(objective, ends):
    raw = torch.randn(1, 2, 2 + 3 * ends, 3, 4).double().requires_grad_()
    objective(raw, target(ends)).sum().backward()
    own = parts(raw.grad)
    assert raw.grad.isfinite().all()
    assert (own.vectors[..., 0, :] != 0).all() and (own.vectors[..., 1:, :] == 0).all()
    assert (own.confidence[..., :2, :] != 0).all() and (own.confidence[..., 2, :] == 0).all()


@pytest.mark.parametrize("objective", OBJECTIVES.values())
def test_it_is_a_sum_over_cells_per_image(objective):
    raw = torch.randn(1, 2, 5, 3, 4).double()
    once, twice = (
        objective(raw, target(1)),
        objective(raw.repeat(2, 1, 1, 1, 1), target(1).repeat(2, 1, 1, 1, 1)),
    )
    assert torch.allclose(once, twice)


def test_terms_of_the_paper_where_all_is_right():
    values = target(1)
    raw = torch.zeros(1, 2, 5, 3, 4).double()
    raw[:, :, 1] = torch.where(values[:, :, 0] == 1, 40.0, -40.0)
    raw[:, :, 2:4] = values[:, :, 1:3].nan_to_num()
    raw[:, :, 4] = torch.log(torch.expm1(values[:, :, 4])).nan_to_num()
    entropy, vectors, scales = paper_loss(raw, values)
    assert entropy < 1e-9 and scales < 1e-9
    assert vectors == pytest.approx(8 * 0.694, abs=1e-4)  # ln 2b at b = 1


@pytest.mark.parametrize("objective", OBJECTIVES.values())
def test_nothing_known_is_no_loss(objective):
    unknown = torch.full((1, 2, 9, 3, 4), torch.nan).double()
    raw = torch.randn(1, 2, 8, 3, 4).double().requires_grad_()
    terms = objective(raw, unknown)
    terms.sum().backward()
    assert (terms == 0).all() and (raw.grad == 0).all()
