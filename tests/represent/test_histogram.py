import colorsys

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import rgb2lab

import imrep
from imrep.codes import Vector
from imrep.errors import BadCode, BadParameter
from imrep.ops.colour import luminance
from imrep.represent.statistics import histogram
from imrep.represent.statistics.histogram import colour_spaces
from imrep.testing import photo

SPACES = ("rgb", "hsv", "lab", "ycbcr", "gray")


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("joint", [True, False])
@pytest.mark.parametrize("soft", [True, False])
def test_squares_are_shares_of_all_pixels(space, joint, soft):
    rep = imrep.get("histogram", bins=5, space=space, joint=joint, soft=soft)
    vector = rep.embed(torch.rand(2, 3, 17, 11, dtype=torch.float64))
    channels = 1 if space == "gray" else 3
    assert vector.shape == (2, 5**channels if joint else 5 * channels)
    total = torch.full((2,), 1.0 if joint else channels, dtype=torch.float64)
    torch.testing.assert_close(vector.square().sum(1), total)


@given(st.permutations(range(30)))
@settings(max_examples=10, deadline=None)
def test_layout_is_thrown_away(order):
    image = torch.rand(1, 3, 5, 6)
    moved = image.flatten(2)[..., list(order)].reshape(1, 3, 6, 5)
    for soft in (False, True):
        rep = imrep.get("histogram", soft=soft)
        torch.testing.assert_close(rep.embed(moved), rep.embed(image))


def test_a_plain_colour_fills_its_bin():
    image = torch.tensor([0.95, 0.05, 0.3]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    vector = imrep.get("histogram").embed(image)
    assert vector.nonzero().tolist() == [[0, 7 * 64 + 0 * 8 + 2]]
    assert vector.max() == 1


def test_every_byte_falls_into_the_bin_of_its_integer_part():
    ramp = (torch.arange(256) / 255).view(1, 1, 16, 16)
    vector = imrep.get("histogram", bins=15, space="gray").embed(ramp)
    counts = (torch.arange(255) // 17).bincount(minlength=15).float()
    counts[14] += 1  # 255 itself
    torch.testing.assert_close(vector[0].square() * 256, counts)


@pytest.mark.parametrize("space", ["lab", "ycbcr", "hsv"])
def test_rounding_does_not_scatter_neutral_gray(space):
    # neutral lies on the border between the two middle bins of a and b, Cb and Cr
    grays = (torch.arange(256) / 255).view(1, 1, 16, 16)
    vector = imrep.get("histogram", bins=8, space=space, joint=False).embed(grays)
    assert (vector[0, 8:16] > 0).sum() == 1
    full = imrep.get("histogram", bins=8, space=space).embed(grays)
    assert (full > 0).sum() == 8


def test_soft_shares_are_linear_between_bin_centres():
    rep = imrep.get("histogram:bins=4,space=gray,soft=true")
    image = torch.full((1, 1, 3, 3), (1.5 + 0.25) / 4)  # a quarter on from the second centre
    torch.testing.assert_close(rep.embed(image).square(), torch.tensor([[0, 0.75, 0.25, 0]]))
    ends = rep.embed(torch.tensor([0.0, 1.0]).view(1, 1, 1, 2)).square()
    torch.testing.assert_close(ends, torch.tensor([[0.5, 0, 0, 0.5]]))


def test_soft_hue_is_cyclic():
    rep = imrep.get("histogram:bins=6,space=hsv,soft=true,joint=false")
    red = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1)
    hue = rep.embed(red)[0, :6].square()
    torch.testing.assert_close(hue, torch.tensor([0.5, 0, 0, 0, 0, 0.5]))


@pytest.mark.parametrize("space", SPACES)
def test_soft_gradient_is_the_slope(space):
    rep = imrep.get("histogram", bins=3, soft=True, space=space)
    torch.manual_seed(1)
    image = (0.3 + 0.4 * torch.rand(1, 3, 3, 2, dtype=torch.float64)).requires_grad_()
    assert torch.autograd.gradcheck(rep.embed, image)
    assert rep.differentiable


def test_gradient_stays_finite_at_corners():
    for space in SPACES:
        rep = imrep.get("histogram", soft=True, space=space)
        for level in (0.0, 0.5, 1.0):
            image = torch.full((1, 3, 4, 4), level, requires_grad=True)
            rep.embed(image).sum().backward()
            assert image.grad.isfinite().all()


def test_hard_bins_have_no_gradient():
    rep = imrep.get("histogram")
    assert not rep.differentiable
    assert not rep.embed(torch.rand(1, 3, 4, 4, requires_grad=True)).requires_grad


def test_hsv_equals_the_standard_library():
    colours = torch.rand(1, 3, 5, 8, dtype=torch.float64)
    colours[0, :, 0, :4] = torch.tensor([[0, 0, 0], [1, 1, 1], [1, 0, 1], [0.2, 0.2, 0.9]]).T
    ours = colour_spaces.channels(colours, "hsv").flatten(2)[0].T
    theirs = [colorsys.rgb_to_hsv(*c) for c in colours.flatten(2)[0].T.tolist()]
    torch.testing.assert_close(ours, torch.tensor(theirs, dtype=torch.float64))


def test_lab_equals_skimage():
    colours = torch.rand(1, 3, 6, 7, dtype=torch.float64)
    planes = colour_spaces.channels(colours, "lab")[0].permute(1, 2, 0)
    ours = planes * torch.tensor([100, 220, 220]) - torch.tensor([0, 110, 110])
    theirs = torch.from_numpy(rgb2lab(colours[0].permute(1, 2, 0).numpy()))
    torch.testing.assert_close(ours, theirs, atol=0.02, rtol=0)  # their matrix has six digits


@pytest.mark.parametrize("space", SPACES)
def test_bars_are_drawn_in_the_bins_own_colours(space):
    colour = torch.tensor([0.9, 0.35, 0.15]).view(1, 3, 1, 1).expand(-1, -1, 8, 8)
    rep = imrep.get("histogram", bins=16, space=space)
    code = rep.encode(colour)
    drawn = rep.picture(code)[0].flatten(1)
    ink = drawn[:, (drawn - 0.82).abs().sum(0) > 1e-3].mean(1)
    wanted = colour[0, :, 0, 0]
    if space == "gray":
        wanted = torch.full((3,), float(torch.tensor([0.299, 0.587, 0.114]) @ wanted))
    assert (ink - wanted).abs().max() < 0.12  # half a bin; wider in lab


def test_too_many_bins_are_refused():
    with pytest.raises(BadParameter, match="bins from 2 to 32, got 256"):
        imrep.get("histogram", bins=256)
    assert imrep.get("histogram", bins=256, joint=False).dim == 768
    with pytest.raises(BadParameter, match="space to be one of rgb"):
        imrep.get("histogram", space="cmyk")


@pytest.mark.parametrize("spec", ["histogram", "histogram:joint=false", "histogram:space=gray"])
def test_the_inverse_has_the_same_histogram_and_no_layout(spec):
    rep = imrep.get(spec)
    image = photo(40, 33)
    code = rep.encode(image)
    again = rep.invert(code)
    assert again.shape == image.shape
    torch.testing.assert_close(rep.encode(again).values, code.values, atol=1e-6, rtol=0)
    light = luminance(again)
    assert (light[..., 1:].amin(2) >= light[..., :-1].amax(2) - 1e-6).float().mean() > 0.9


def test_the_inverse_of_other_spaces_is_approximate():
    for space in ("hsv", "lab", "ycbcr"):
        rep = imrep.get(f"histogram:space={space},bins=16")
        code = rep.encode(photo(40, 33))
        apart = rep.encode(rep.invert(code)).values.square() - code.values.square()
        assert apart.abs().sum(1).max() < 0.5


def test_a_vector_without_a_size_cannot_be_inverted():
    with pytest.raises(BadCode, match="histogram needs the image's size in the code"):
        imrep.get("histogram").invert(Vector(torch.full((1, 512), 512**-0.5)))


@pytest.mark.parametrize("soft", [False, True])
def test_a_range_spends_its_bins_between_its_ends(soft):
    rep = imrep.get("histogram", bins=4, space="gray", low=0.25, high=0.75, soft=soft)
    image = torch.tensor([0.1, 0.3125, 0.4375, 0.6875, 0.9]).view(1, 1, 1, 5)  # centres, and beyond
    shares = rep.embed(image)[0].square()
    torch.testing.assert_close(shares, torch.tensor([2, 1, 0, 2]) / 5)
    again = rep.invert(rep.encode(image))
    assert again.min() == 0.3125 and again.max() == 0.6875
    whole = imrep.get("histogram:bins=4,space=gray")
    assert rep.spec != whole.spec and whole.spec == imrep.get(f"{whole.spec},low=0.0,high=1.0").spec


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("joint", [True, False])
@pytest.mark.parametrize("soft", [True, False])
def test_cumulative_shares_are_sums_of_the_shares(space, joint, soft):
    spec = f"bins=4,space={space},joint={joint},soft={soft}".lower()
    plain, summed = imrep.get(f"histogram:{spec}"), imrep.get(f"histogram:{spec},cumulative=true")
    image = torch.rand(2, 3, 9, 7, dtype=torch.float64)
    shares, sums = plain.embed(image).square(), summed.embed(image)
    if joint and space != "gray":
        shares = shares.view(2, 4, 4, 4).cumsum(1).cumsum(2).cumsum(3).flatten(1)
    else:
        shares = shares.view(2, -1, 4).cumsum(2).flatten(1)
    torch.testing.assert_close(sums, shares)
    assert (sums[:, -1] - 1).abs().max() < 1e-12
    code, other = summed.encode(image), plain.encode(image)
    torch.testing.assert_close(summed.invert(code), plain.invert(other))
    assert summed.picture(code).std() > 0.01


def test_the_distance_of_cumulative_sums_is_the_change_of_brightness():
    rep = imrep.get("histogram:bins=64,space=gray,cumulative=true,soft=true")
    image = 0.2 + 0.5 * photo(32, 32, batch=1, channels=1).double()
    start = rep.embed(image)
    for by in (0.05, 0.1, 0.2):
        apart = (rep.embed(image + by) - start).abs().mean()
        assert apart.item() == pytest.approx(by, rel=1e-6)


def test_sums_have_the_gradient_of_soft_shares():
    rep = imrep.get("histogram:bins=3,soft=true,cumulative=true,low=0.1,high=0.9")
    image = (0.3 + 0.4 * torch.rand(1, 3, 3, 2, dtype=torch.float64)).requires_grad_()
    assert torch.autograd.gradcheck(rep.embed, image)


def test_an_empty_range_is_refused():
    with pytest.raises(BadParameter, match=r"low below high, got low=0\.5 and high=0\.5"):
        imrep.get("histogram:low=0.5,high=0.5")
    with pytest.raises(BadParameter, match="high from 0 to 1, got 255"):
        imrep.get("histogram:high=255.0")


def test_otsus_threshold_is_opencvs():
    image = (photo(50, 60, batch=3) * 255).round() / 255
    for picture, threshold in zip(image, histogram.otsu(image).tolist(), strict=True):
        levels = (picture * 255).round().byte().permute(1, 2, 0).numpy()
        gray = cv2.cvtColor(np.ascontiguousarray(levels), cv2.COLOR_RGB2GRAY)
        wanted, _ = cv2.threshold(gray, 0, 255, cv2.THRESH_OTSU)
        assert 255 * threshold == pytest.approx(wanted)
    assert histogram.otsu(image.double()).dtype == torch.float64


def test_every_level_of_gray_is_drawn_and_cumulative_bars_rise():
    image = torch.linspace(0, 1, 256).expand(1, 1, 8, 256)
    fine = imrep.get("histogram:space=gray,bins=256")
    assert fine.picture(fine.encode(image)).shape[3] == 256  # a column a bin
    sums = imrep.get("histogram:space=gray,bins=4,cumulative=True")
    chart = sums.picture(sums.encode(image))[0, 0]
    bars = (chart != chart[0, 0]).sum(0)  # the first bar leaves background at the top
    assert bars.unique().tolist() == [40, 80, 120, 160]
