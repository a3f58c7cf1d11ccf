"""Two pictures in one: where the mask is all or nothing, the paper's formula, seams, refusals."""

import itertools

import pytest
import torch

from imrep.edit.operations.blend import blend
from imrep.errors import BadImage, BadParameter
from imrep.ops.colour import luminance
from imrep.ops.pyramid import laplacian

_SIZE = (40, 57)
_LEFT = (torch.arange(_SIZE[1]) >= 28).float().expand(1, 1, *_SIZE)  # the picture, then the other


def _pair(channels=3):
    return torch.rand(1, channels, *_SIZE), torch.rand(1, channels, *_SIZE)


def test_a_black_mask_keeps_the_image_and_a_white_one_gives_the_other():
    image, second = _pair()
    black = torch.zeros(1, 1, *_SIZE)
    assert torch.equal(blend(image, with_=second, mask=black), image)
    torch.testing.assert_close(blend(image, with_=second, mask=1 - black), second)


@pytest.mark.parametrize("levels", [1, 4])
def test_it_is_the_papers_formula(levels):
    image, second = 0.3 + 0.4 * _pair()[0], 0.3 + 0.4 * _pair()[1]
    mask = torch.rand(1, 1, *_SIZE)
    weights = [mask]
    for _ in range(levels):
        weights.append(laplacian.reduce(weights[-1]))
    ours, theirs = (laplacian.build(x, levels) for x in (image, second))
    mixed = [
        g * there + (1 - g) * here
        for g, here, there in zip(
            weights, (*ours[0], ours[1]), (*theirs[0], theirs[1]), strict=True
        )
    ]
    expected = laplacian.collapse(mixed[:-1], mixed[-1]).clamp(0, 1)
    result = blend(image, with_=second, mask=mask, levels=levels)
    torch.testing.assert_close(result, expected, atol=2e-6, rtol=0)


def test_no_levels_cut_along_the_mask():
    image, second = _pair()
    expected = torch.where(_LEFT > 0.5, second, image)
    torch.testing.assert_close(blend(image, with_=second, mask=_LEFT, levels=0), expected)


def test_more_levels_make_a_softer_step():
    dark, light = torch.full((1, 1, *_SIZE), 0.2), torch.full((1, 1, *_SIZE), 0.8)
    steps = [
        float(blend(dark, with_=light, mask=_LEFT, levels=levels).diff(dim=3).max())
        for levels in range(5)
    ]
    assert steps[0] == pytest.approx(0.6)
    assert all(b < 0.75 * a for a, b in itertools.pairwise(steps))


def test_a_coloured_mask_counts_by_its_luma_and_gray_goes_into_colour():
    image, second = _pair()
    mask = torch.rand(1, 3, *_SIZE)
    result = blend(image, with_=second, mask=mask)
    assert torch.equal(result, blend(image, with_=second, mask=luminance(mask)))
    gray = luminance(second)
    result = blend(image, with_=gray, mask=_LEFT)
    assert torch.equal(result, blend(image, with_=gray.expand(-1, 3, -1, -1), mask=_LEFT))


def test_one_image_and_mask_serve_a_complete_batch():
    images, second = torch.rand(2, 1, *_SIZE), torch.rand(1, 1, *_SIZE)
    result = blend(images, with_=second, mask=_LEFT)
    for image, expected in zip(result, images, strict=True):
        torch.testing.assert_close(image[None], blend(expected[None], with_=second, mask=_LEFT))


@pytest.mark.parametrize("what", ["with", "mask"])
def test_another_size_is_refused_with_both_sizes(what):
    image, second = _pair()
    additional = {"with_": second, "mask": _LEFT}
    additional["with_" if what == "with" else what] = torch.rand(1, 1, 40, 56)
    with pytest.raises(BadImage, match=f"blend needs {what} of the image's size, 40×57, got 40×56"):
        blend(image, **additional)


def test_other_misfits_are_refused_by_name():
    image, second = _pair()
    with pytest.raises(BadImage, match="one mask for all images or one for each of 1, got 2"):
        blend(image, with_=second, mask=torch.rand(2, 1, *_SIZE))
    with pytest.raises(BadImage, match="gray image to go into a gray one"):
        blend(luminance(image), with_=second, mask=_LEFT)
    with pytest.raises(BadImage, match="blend's mask needs values in"):
        blend(image, with_=second, mask=3 * _LEFT)
    for levels in (-1, 7):
        with pytest.raises(BadParameter, match="blend needs levels from 0 to 6"):
            blend(image, with_=second, mask=_LEFT, levels=levels)
