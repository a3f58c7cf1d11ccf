"""Operations on values without a range: results in the same units, and not clipped."""

import pytest
import torch

from imrep.edit import float_range
from imrep.registry import operations
from imrep.testing import photo


@pytest.mark.parametrize("name", sorted(float_range.EQUIVARIANT))
def test_the_result_does_not_depend_on_the_scale(name):
    """f(a x + b) = a f(x) + b, with values from 0 to 1, from -3 to 5, and hardly any contrast."""
    operation = operations.entry(name).load()
    params = {"noise": 0.05} if name == "denoise" else {}
    image = 0.25 + 0.5 * photo(batch=1).double()
    if name == "bandpass":
        params["low"] = None  # else the mean is replaced by middle gray
    expected = float_range.apply_unclipped(operation, name, image, params)
    for scale, offset in ((8.0, -3.0), (0.01, 0.4)):
        scaled = {key: value * scale for key, value in params.items() if key == "noise"}
        result = float_range.apply_unclipped(
            operation, name, scale * image + offset, {**params, **scaled}
        )
        torch.testing.assert_close((result - offset) / scale, expected, atol=1e-4, rtol=0)


def test_overshoots_are_preserved():
    edge = torch.zeros(1, 1, 20, 20, dtype=torch.float64)
    edge[..., 10:] = 1
    sharpen = operations.entry("sharpen").load()
    result = float_range.apply_unclipped(sharpen, "sharpen", edge, {})
    assert result.min() < -0.5 and result.max() > 1.5


def test_other_operations_see_the_unit_interval():
    def operation(image):
        assert image.min() >= 0 and image.max() <= 1
        return image

    image = torch.linspace(-1, 2, 16).view(1, 1, 4, 4)
    result = float_range.apply_unclipped(operation, "equalise", image, {})
    assert torch.equal(result, image.clamp(0, 1))
