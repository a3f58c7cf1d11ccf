import dataclasses
import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage import data, feature

import imrep
from imrep.errors import BadParameter
from imrep.ops.filter.peaks import window_maximum
from imrep.represent.local import blob as module
from imrep.testing import photo


def disk(x, y, radius, height=50, width=64):
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return (torch.hypot(columns - float(x), rows - float(y)) <= radius).double()[None, None]


def framed(image, margin=54):
    """On a wide flat ground, where all ways to go beyond the border are one."""
    return torch.nn.functional.pad(image, [margin] * 4, value=0.5)


def test_response_is_scipys_away_from_the_border():
    image = framed(photo(30, 40, batch=1, channels=1).double())
    rep = imrep.get("blob:min_sigma=1.5,max_sigma=6,scales=4")
    for sigma, ours in zip(rep.sigmas, rep.response(image).values[0], strict=True):
        theirs = -(sigma**2) * ndimage.gaussian_laplace(image[0, 0].numpy(), sigma)
        flat = theirs[0, 0]  # ours gives zero for what is constant
        assert abs(flat) < 2e-3
        np.testing.assert_allclose(ours.numpy(), theirs - flat, atol=1e-3)


def test_differences_are_scipys_away_from_the_border():
    image = framed(photo(30, 40, batch=1, channels=1).double())
    rep = imrep.get("blob:method=dog,min_sigma=1,max_sigma=4,scales=3")
    sigmas = [*rep.sigmas, 8.0]
    blurred = [ndimage.gaussian_filter(image[0, 0].numpy(), s) for s in sigmas]
    expected = [a - b for a, b in itertools.pairwise(blurred)]
    np.testing.assert_allclose(rep.response(image).values[0].numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("method", ["log", "dog"])
def test_blobs_are_skimages(method):
    levels = framed(torch.from_numpy(data.hubble_deep_field()[:130, :130].copy())
                    .double().mean(2)[None, None] / 255)  # fmt: skip
    rep = imrep.get(
        "blob", method=method, min_sigma=2.0, max_sigma=8.0, scales=5, threshold=0.04,
        max_points=5000, polarity="bright", overlap=1.0,
    )  # fmt: skip
    code = rep.encode(levels)
    ours = {(int(y), int(x), round(float(s), 3)) for (x, y), (_, s) in
            zip(code.xy[0], code.values[0], strict=True)}  # fmt: skip
    image = levels[0, 0].numpy()
    if method == "log":
        found = feature.blob_log(
            image, 2.0, 8.0, 5, threshold=0.04, overlap=1.0, log_scale=True, exclude_border=False
        )
    else:
        ratio = rep.sigmas[1] / rep.sigmas[0]
        found = feature.blob_dog(
            image, 2.0, 8.001, ratio, threshold=0.04, overlap=1.0, exclude_border=False
        )
    theirs = {(int(y), int(x), round(float(s), 3)) for y, x, s in found}
    assert len(theirs) > 20
    assert len(ours & theirs) >= 0.97 * max(len(ours), len(theirs))


@settings(max_examples=10)
@given(x=st.integers(20, 44), y=st.integers(20, 30), radius=st.floats(3, 12))
def test_a_disk_is_detected_at_its_position_and_scale(x, y, radius):
    rep = imrep.get("blob:scales=24,min_sigma=1.5,threshold=0.3")
    code = rep.encode(disk(x, y, radius)).first(1)
    assert code.xy[0, 0].tolist() == [x, y]
    assert abs(math.log(float(code.extent[0, 0]) / (2 * radius))) < 0.2
    assert code.values[0, 0, 0] == pytest.approx(2 / math.e, abs=0.06)
    dark = rep.encode(1 - disk(x, y, radius)).first(1)
    torch.testing.assert_close(dark.values[..., 0], -code.values[..., 0])
    torch.testing.assert_close(dark.xy, code.xy)


def test_polarity_chooses():
    image = 0.5 + 0.5 * disk(15, 25, 5) - 0.5 * disk(48, 25, 5)
    for polarity, expected in (("bright", [15]), ("dark", [48]), ("both", [15, 48])):
        code = imrep.get("blob", polarity=polarity, threshold=0.2).encode(image)
        assert sorted(code.xy[0, :, 0].tolist()) == expected


def test_disks_share_what_geometry_says():
    at = torch.tensor([0.0, 1.0, 2.0, 3.0, 5.0]).double()
    one, two = torch.ones(5).double(), torch.full((5,), 2.0).double()
    shared = module._overlap(at, one, two)
    assert shared[:2].tolist() == pytest.approx([1, 1]) and shared[3:].tolist() == pytest.approx(
        [0, 0]
    )
    dice = torch.rand(400_000, 2, generator=torch.Generator().manual_seed(0)).double() * 2 - 1
    inside = dice[dice.norm(dim=1) < 1]
    share = (torch.hypot(inside[:, 0] - 2, inside[:, 1]) < 2).double().mean()
    assert shared[2] == pytest.approx(float(share), abs=3e-3)


def test_of_two_that_overlap_the_smaller_is_dropped_unless_the_larger_was():
    rep = imrep.get("blob")
    xy = torch.tensor([[0.0, 0.0], [4.0, 0.0], [7.0, 0.0], [0.0, 0.0]])
    sigma = torch.tensor([5.0, 4.0, 2.0, 1.0])
    dark = torch.tensor([False, False, False, True])
    # The second lies in the first, the third in the second alone, the last is dark.
    assert rep._prune(xy, sigma, dark).tolist()[:2] == [True, False]
    assert rep._prune(xy, sigma, dark)[3]
    far = torch.tensor([[0.0, 0.0], [5.0, 0.0], [10.0, 0.0], [50.0, 0.0]])
    assert rep._prune(far, torch.tensor([5.0, 4.0, 2.5, 1.0]), dark).tolist() == [
        True, False, True, True,
    ]  # fmt: skip


def test_no_two_selected_blobs_overlap_too_much():
    image = photo(96, 96, batch=1)
    code = imrep.get("blob:threshold=0.01,polarity=bright").encode(image)
    radius = code.extent[0].double() / 2
    shared = module._overlap(
        torch.cdist(code.xy[0].double(), code.xy[0].double()), radius[:, None], radius
    )
    shared.fill_diagonal_(0)
    assert len(radius) > 10 and shared.max() <= 0.5
    everything = imrep.get("blob:threshold=0.01,polarity=bright,overlap=1").encode(image)
    assert everything.xy.shape[1] > code.xy.shape[1]


def test_the_greatest_within_reach():
    x = torch.rand(2, 3, 9, 14)
    for reach in (1, 2, 5):
        near = x[:, :2, max(0, 4 - reach) : 5 + reach, max(0, 7 - reach) : 8 + reach]
        assert torch.equal(window_maximum(x, reach)[:, :2, 4, 7], near.amax((2, 3)))
    assert torch.equal(
        window_maximum(x, 1, (-3, -2, -1))[:, 0, 4, 7], x[:, :2, 3:6, 6:9].amax((1, 2, 3))
    )
    assert torch.equal(window_maximum(x, 20)[0, 0], x[0, 0].max().expand(9, 14))


@pytest.mark.parametrize("method", ["log", "dog"])
def test_flat_and_small_images(method):
    rep = imrep.get("blob", method=method)
    for size in ((1, 1), (1, 7), (3, 2), (12, 9)):
        assert rep.embed(torch.rand(2, 3, *size)).isfinite().all()
        assert rep.response(torch.full((1, 1, *size), 0.7)).values.abs().max() < 1e-5
    assert rep.encode(torch.ones(2, 3, 20, 20)).xy.shape == (2, 0, 2)


@pytest.mark.parametrize("method", ["log", "dog"])
def test_gradient_is_the_slope(method):
    image = photo(12, 13, batch=1, channels=1).double().requires_grad_()
    rep = imrep.get("blob", method=method, max_sigma=3.0, scales=3, max_points=4, overlap=1.0)
    assert torch.autograd.gradcheck(lambda x: rep.encode(x).values, image)


def test_vectors_know_scale_polarity_and_quarter():
    rep = imrep.get("blob:cells=2,threshold=0.3")
    vector = rep.embed(disk(48, 12, 4).float()).unflatten(1, (2, 8, 2, 2))[0]
    assert vector[0, :, 0, 1].any() and not vector[1].any()
    vector[0, :, 0, 1] = 0
    assert not vector.any()
    one = rep.encode(disk(48, 12, 4).float())
    alone = rep.pool(one.filter(one.values[..., 0] > 0))
    assert alone.sum() > 0 and not rep.pool(dataclasses.replace(one, present=~one.present)).any()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("method=doh", "method to be one of log, dog, got 'doh'"),
        ("polarity=grey", "polarity to be one of both, bright, dark"),
        ("min_sigma=0", r"min_sigma from 0\.5 to 100, got 0"),
        ("max_sigma=1", r"max_sigma above min_sigma and at most 100, got 1\.0 and 1\.0"),
        ("scales=1", "scales from 2 to 50, got 1"),
        ("threshold=0", r"threshold from 0\.0001 to 1, got 0"),
        ("overlap=2", "overlap from 0 to 1, got 2"),
    ],
)
def test_bad_parameters_are_refused(words, message):
    with pytest.raises(BadParameter, match=f"blob needs {message}"):
        imrep.get(f"blob:{words}")
