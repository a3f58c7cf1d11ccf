"""The algebra of erosion and dilation: duality, adjunction, composition, distributivity."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imrep.errors import BadImage, BadParameter
from imrep.ops.morphology.operators import CONVENTIONS, closing, dilate, erode, gradient, opening

SIDES = st.integers(1, 6)
SEEDS = st.integers(0, 10**6)


def random_mask(rows, columns, seed):
    mask = torch.rand(rows, columns, generator=torch.Generator().manual_seed(seed)) < 0.5
    mask[rows // 2, columns // 2] = True
    return mask


def levels(seed, *shape):
    return torch.randint(0, 9, shape or (7, 9), generator=torch.Generator().manual_seed(seed))


@given(SIDES, SIDES, SEEDS)
def test_dilation_is_the_negative_of_an_erosion(rows, columns, seed):
    """`convention="opencv"` takes the same element, "textbook" its reflection."""
    x, mask = levels(seed), random_mask(rows, columns, seed)
    assert torch.equal(dilate(x, mask, convention="opencv"), -erode(-x, mask))


@given(SIDES, SIDES, SEEDS)
def test_erosion_and_dilation_are_adjoint(rows, columns, seed):
    """dilate(x) ≤ y wherever x ≤ erode(y), and nowhere else."""
    mask, y = random_mask(rows, columns, seed), levels(seed)
    assert (dilate(erode(y, mask), mask) <= y).all()
    assert (erode(dilate(y, mask), mask) >= y).all()
    x = torch.minimum(levels(seed + 1), erode(y, mask))
    assert (dilate(x, mask) <= y).all()


@given(SIDES, SIDES, SEEDS)
def test_erosion_distributes_over_minima_and_commutes_with_thresholds(rows, columns, seed):
    mask, x, y = random_mask(rows, columns, seed), levels(seed), levels(seed + 1)
    both = torch.minimum(erode(x, mask), erode(y, mask))
    assert torch.equal(erode(torch.minimum(x, y), mask), both)
    assert torch.equal(erode(x > 4, mask), erode(x, mask) > 4)
    both = torch.maximum(dilate(x, mask), dilate(y, mask))
    assert torch.equal(dilate(torch.maximum(x, y), mask), both)


@given(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3), st.integers(0, 3), SEEDS)
def test_successive_rectangles_are_one_of_their_summed_sides(a, b, c, d, seed):
    x = levels(seed, 2, 12, 11)
    first, second = torch.ones(2 * a + 1, 2 * b + 1), torch.ones(2 * c + 1, 2 * d + 1)
    together = torch.ones(2 * (a + c) + 1, 2 * (b + d) + 1)
    for operator in (erode, dilate):
        assert torch.equal(operator(operator(x, first), second), operator(x, together))


@given(SIDES, SIDES, SEEDS)
def test_opening_and_closing_are_dual_and_order_preserving(rows, columns, seed):
    mask, x = random_mask(rows, columns, seed), levels(seed)
    reflected = mask.flip(0, 1)
    if rows % 2 and columns % 2:
        assert torch.equal(closing(x, mask), -opening(-x, reflected))
    larger = x + levels(seed + 1)
    assert (opening(x, mask) <= opening(larger, mask)).all()
    assert (closing(x, mask) <= closing(larger, mask)).all()


def test_an_opening_removes_what_the_element_does_not_fit_into():
    x = torch.zeros(9, 12, dtype=torch.uint8)
    x[1:3, 1:3] = 200  # 2 × 2
    x[4:8, 5:9] = 100  # 4 × 4
    opened = opening(x, torch.ones(3, 3))
    assert not opened[:4].any() and torch.equal(opened[4:], x[4:])
    assert torch.equal(closing(255 - x, torch.ones(3, 3)), 255 - opened)


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int16, torch.float32])
def test_the_gradient_of_a_step_is_its_height_at_both_sides(dtype):
    x = torch.zeros(1, 8, dtype=dtype)
    x[:, 4:] = 1
    found = gradient(x, torch.ones(1, 3))
    assert found.dtype == dtype and found.tolist() == [[0, 0, 0, 1, 1, 0, 0, 0]]


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_gradient_of_unsigned_numbers_does_not_wrap_around(convention):
    x = torch.tensor([[9, 0, 0, 0, 5]], dtype=torch.uint8)
    beside = torch.tensor([[0, 0, 1]])  # without its origin, dilation may lie below erosion
    expected = (dilate(x, beside, convention=convention).int() - erode(x, beside).int()).clamp_min(
        0
    )
    assert torch.equal(gradient(x, beside, convention=convention).int(), expected)


@pytest.mark.parametrize("operator", [dilate, opening, closing, gradient])
def test_other_conventions_are_refused(operator):
    with pytest.raises(BadParameter, match=r"convention.*'scipy'"):
        operator(torch.zeros(3, 3), torch.ones(3, 3), convention="scipy")


@pytest.mark.parametrize("x", [torch.zeros(3), torch.zeros(3, 3, dtype=torch.cfloat), [[1.0]]])
def test_what_is_no_plane_is_refused(x):
    for operator, name in ((erode, "erode"), (dilate, "dilate")):
        with pytest.raises(BadImage, match=rf"{name} needs real numbers .* Try x\[None\]"):
            operator(x, torch.ones(3, 3))
