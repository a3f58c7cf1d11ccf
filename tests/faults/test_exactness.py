"""What is called exact is so at the worst images, in float32; what is not solved says so."""

import pytest
import torch

import imrep
from imrep.edit.operations.blur import blur
from imrep.testing._tools import extremes

EXACT = [
    "bandpass:high=0.5,method=butterworth,low=none,order=1",
    "bandpass:low=none,high=0.269",  # the least gain that is called exact, 1 / 32
    "bandpass:high=0.3,method=butterworth,low=none",
    "dct",
    "dct:block=4,channels=48",
    "dct:block=16,channels=768",
    "filterbank",
    "filterbank:bank=dct,size=4",
    "filterbank:bank=random,size=5",
    "filterbank:rectify=crelu",
    "filterbank:rectify=none",
    "fourier",
    "kernel",
    "kernel:kernel=unsharp,alpha=2.0",
    "kernel:kernel=unsharp,alpha=50.0",  # near the greatest ratio of gains, 64
    "kernel:kernel=gaussian,sigma=0.74",
    "kernel:kernel=sharpen_soft",
    "laplacian",
    "laplacian:a=0.6,levels=6",
    "morphology",
    "morphology:shape=all,sizes=3",
]


@pytest.mark.parametrize("spec", EXACT)
def test_exact_inverses_are_exact_at_the_worst_images(spec):
    rep = imrep.get(spec)
    assert rep.inverse == "exact"
    for image in extremes():
        for x in (image, image[:, :1]):
            torch.testing.assert_close(rep.invert(rep.encode(x)), x, rtol=0, atol=1e-5)


def _worst():
    noise = torch.rand(1, 3, 448, 448, generator=torch.Generator().manual_seed(0))
    square = torch.zeros(1, 3, 448, 448)
    square[..., 101:121, 203:223] = 1
    return {
        "noise": noise,
        "black and white": noise.round(),
        "bright": 0.95 + 0.05 * noise,
        "dark": 0.02 * noise,
        "flat": torch.full_like(noise, 0.3),
        "white": torch.ones_like(noise),
        "blurred": blur(noise, sigma=4.0),
        "square": square,
    }


@pytest.mark.parametrize("name", _worst())
def test_dct_comes_back_within_two_ten_thousandths_of_a_level(name):
    image, dct = _worst()[name], imrep.get("dct")
    for x in (image, image[:, :1]):
        off = 255 * (dct.invert(dct.encode(x)) - x).abs().max()
        assert off <= 2e-4


def test_dct_comes_back_on_the_reference_photograph(references):
    stored = references("jpeg")["img_rgb_u8"]
    image = torch.from_numpy(stored).permute(2, 0, 1)[None].float() / 255
    dct = imrep.get("dct")
    assert 255 * (dct.invert(dct.encode(image)) - image).abs().max() <= 2e-4


def test_middle_gray_costs_no_digit():
    """The level is taken off before the transform: what is 128 of 255 is exactly zero in Y."""
    level = torch.full((1, 1, 16, 16), 128 / 255)
    (plane,) = imrep.get("dct").encode(level).values
    assert plane.abs().max() == 0


def test_filterbank_is_exact_on_a_blurred_picture():
    noise = torch.rand(1, 1, 48, 60, generator=torch.Generator().manual_seed(1))
    image = blur(noise, sigma=4.0)
    bank = imrep.get("filterbank")
    torch.testing.assert_close(bank.invert(bank.encode(image)), image, rtol=0, atol=1e-5)


def test_filterbank_says_when_its_steps_end_before_it_is_solved():
    image = blur(torch.rand(1, 1, 48, 60), sigma=4.0)
    bank = imrep.get("filterbank")
    code = bank.encode(image)
    with pytest.warns(UserWarning, match=r"filterbank needs more than 20 iterations"):
        near = bank.invert(code, iterations=20)
    assert (near - image).abs().max() > 1e-5  # the warning is not for nothing
