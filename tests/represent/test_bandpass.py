"""Band-pass filters: the references, what masks add up to, what comes back, what the vector is."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.filters import butterworth

import imrep
from imrep.codes import Map
from imrep.errors import BadCode, BadImage, BadParameter
from imrep.testing import photo

KINDS = ("gaussian", "butterworth", "ideal")
sizes = st.integers(1, 40)


def band(kind="gaussian", low=0.05, high=0.2, **more):
    return imrep.get("bandpass", method=kind, low=low, high=high, **more)


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        ("ideal", "ideal_0p05_0p2"),
        ("gaussian", "gauss_bp_0p05_0p2"),
        ("butterworth", "butter2_bp_0p05_0p2"),
    ],
)
def test_equals_the_reference(references, kind, stored):
    arrays = references("fourier")
    gray = torch.from_numpy(arrays["gray_u8"] / 255)[None, None]
    for dtype, within in ((torch.float64, 1e-12), (torch.float32, 2e-6)):
        code = band(kind).encode(gray.to(dtype))
        np.testing.assert_allclose(code.values[0, 0], arrays[stored], rtol=0, atol=within)


@pytest.mark.parametrize("size", [(48, 64), (33, 47), (1, 8), (5, 1)])
@pytest.mark.parametrize("order", [1, 2, 5])
def test_butterworth_equals_scikit_image(size, order):
    image = photo(*size, batch=1, channels=1).double()
    for cutoff in (0.02, 0.2, 0.45):
        low = band("butterworth", None, cutoff, order=order).encode(image).values
        high = band("butterworth", cutoff, None, order=order).encode(image).values
        for ours, side in ((low, False), (high, True)):
            peer = butterworth(image[0, 0].numpy(), cutoff, side, order)
            np.testing.assert_allclose(ours[0, 0], peer, rtol=0, atol=1e-13)


@settings(max_examples=40)
@given(sizes, sizes, st.sampled_from(KINDS), st.floats(0.01, 0.7))
def test_high_is_one_minus_low(height, width, kind, cutoff):
    image = photo(height, width, batch=1).double()
    low, high = band(kind, None, cutoff), band(kind, cutoff, None)
    together = low.encode(image).values + high.encode(image).values
    torch.testing.assert_close(together, image, rtol=0, atol=1e-13)


@settings(max_examples=30)
@given(sizes, sizes, st.sampled_from(["butterworth", "ideal"]))
def test_a_band_is_a_low_pass_after_a_high_pass(height, width, kind):
    image = photo(height, width, batch=1).double()
    low, high = 0.0503, 0.2011  # between the frequencies of such images
    apart = band(kind, None, high).encode(band(kind, low, None).encode(image).values)
    torch.testing.assert_close(apart.values, band(kind, low, high).encode(image).values)


def test_gaussian_bands_that_meet_add_up():
    image = photo(33, 40).double()
    edges = [None, 0.05, 0.1, 0.3, None]
    parts = [band(low=a, high=b).encode(image).values for a, b in itertools.pairwise(edges)]
    torch.testing.assert_close(sum(parts), image, rtol=0, atol=1e-13)


def test_a_gaussian_is_a_blur():
    """Its transform is a Gaussian of 1 / (2 π cutoff) pixels."""
    point = torch.zeros(1, 1, 65, 65, dtype=torch.float64)
    point[..., 32, 32] = 1
    place = torch.arange(-32, 33, dtype=torch.float64)
    sigma = 1 / (2 * math.pi * 0.06)
    bell = torch.exp(-(place**2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * math.pi))
    blurred = band(low=None, high=0.06).encode(point).values[0, 0]
    torch.testing.assert_close(blurred, bell[:, None] * bell, rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_a_wave_passes_according_to_its_length(kind):
    """Cycles per pixel: 0.2 passes a band around it whatever the size, 0.4 and 0.02 hardly."""
    rep = band(kind, 0.12, 0.28, order=6) if kind == "butterworth" else band(kind, 0.12, 0.28)
    kept = []
    for frequency in (0.02, 0.2, 0.4):
        place = torch.arange(50, dtype=torch.float64)
        wave = 0.5 * torch.cos(2 * torch.pi * frequency * place).expand(1, 1, 50, 50)
        passed = [float(rep.encode(turned).values.norm()) for turned in (wave, wave.mT)]
        assert passed[0] == pytest.approx(passed[1])
        kept.append(passed[0] / float(wave.norm()))
    assert kept[1] > 1.4 * kept[2] and kept[1] > 5 * kept[0]


def test_an_ideal_band_holds_both_edges_and_keeps_its_energy():
    image = photo(40, 60).double()
    rep = band("ideal", 0.05, 0.2)  # 0.05 = 2 / 40 = 3 / 60, and 0.05² = 0.03² + 0.04²
    spectrum = torch.fft.fft2(image)
    r = torch.hypot(*torch.meshgrid(torch.fft.fftfreq(40), torch.fft.fftfreq(60), indexing="ij"))
    inside = (r > 0.05 - 1e-6) & (r < 0.2 + 1e-6)
    code = rep.encode(image)
    energy = (spectrum.abs().square() * inside).sum() / (40 * 60)
    torch.testing.assert_close(code.values.square().sum(), energy)
    torch.testing.assert_close(rep.encode(code.values).values, code.values)  # a projection


@settings(max_examples=30)
@given(sizes, sizes, st.sampled_from([("gaussian", 0.4, 1), ("butterworth", 0.3, 1)]))
def test_wide_low_passes_are_inverted_exactly(height, width, made):
    kind, high, order = made
    rep = band(kind, None, high, order=order)
    image = photo(height, width, batch=1)
    assert rep.inverse == "exact"
    torch.testing.assert_close(rep.invert(rep.encode(image)), image, rtol=0, atol=1e-5)


def test_narrow_ones_give_back_what_passed():
    image = 0.25 + 0.5 * photo(48, 64).double()
    for rep in (band(), band("butterworth", None, 0.05), band("ideal", 0.1, None)):
        assert rep.inverse == "approximate"
        code = rep.encode(image)
        again = rep.encode(rep.invert(code)).values
        torch.testing.assert_close(again, code.values, rtol=0, atol=2e-3)
    wide, narrow = (band("gaussian", None, high) for high in (0.3, 0.05))
    lost = [(rep.invert(rep.encode(image)) - image).square().mean() for rep in (wide, narrow)]
    assert lost[0] < lost[1]


def test_a_lost_mean_is_gray():
    flat = torch.full((1, 3, 9, 16), 0.8)
    rep = band()
    code = rep.encode(flat)
    assert code.signed and code.values.abs().max() < 1e-6
    torch.testing.assert_close(rep.invert(code), torch.full_like(flat, 0.5))
    kept = band(low=None)
    torch.testing.assert_close(kept.invert(kept.encode(flat)), flat)


def test_vector_is_the_energy_of_rings_and_directions():
    place = torch.arange(64, dtype=torch.float64)
    rep = band(low=0.06, high=0.24, rings=4, orientations=4)  # rings double from 0.04 to 0.36
    for row, ring in ((3, 0), (6, 1), (10, 2), (17, 3)):  # of 64: near the middle of each ring
        wave = 0.4 * torch.cos(2 * torch.pi * row * place / 64)
        for turned, direction in ((wave[None, :], 0), (wave[:, None], 2)):
            image = 0.5 + turned.expand(64, 64).expand(1, 1, 64, 64)
            luma, chroma = rep.embed(image).view(3, 4, 4).split([1, 2])
            assert divmod(int(luma.argmax()), 4) == (ring, direction)
            torch.testing.assert_close(chroma, torch.full_like(chroma, float(chroma.min())))


def test_vector_has_means_where_they_pass():
    image = photo(20, 30)
    assert band().dim == 192
    assert band(low=None, rings=3, orientations=2).dim == 3 * 3 * 2 + 3
    lighter = band(low=None).embed(0.5 * image + 0.3)[:, -3:]
    darker = band(low=None).embed(0.5 * image)[:, -3:]
    torch.testing.assert_close(lighter - darker, torch.tensor([[0.3, 0, 0]] * 2), atol=1e-5, rtol=0)


def test_vector_of_noise_does_not_depend_on_the_size():
    small, large = (band().embed(torch.rand(8, 3, n, n)).mean(0) for n in (48, 200))
    assert (small - large).abs().mean() < 0.4  # the logarithm of few frequencies is low


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_of_code_vector_and_inverse(kind):
    rep = band(kind, 0.1, 0.3, rings=2, orientations=2)
    image = photo(4, 5, batch=1, channels=1).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: rep.encode(x).values, image)
    assert torch.autograd.gradcheck(rep.embed, image)
    low = band("gaussian", None, 0.4)
    assert torch.autograd.gradcheck(lambda x: low.invert(low.encode(x)), image)


@pytest.mark.parametrize("kind", KINDS)
def test_one_pixel_and_double_precision(kind):
    image = photo(1, 1).double()
    code = band(kind).encode(image)
    assert code.values.dtype == torch.float64 and code.values.abs().max() < 1e-15
    assert band(kind).embed(image).isfinite().all()
    torch.testing.assert_close(band(kind, None, 0.2).encode(image).values, image)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("low=0.3,high=0.1", r"needs low below high, got low=0\.3 and high=0\.1\. Swap them"),
        ("low=0.3,high=0.3", "needs low below high"),
        ("low=none,high=none", "needs low, high or both, got None and None"),
        ("low=0.0", r"needs low above 0 and below 0\.7071 cycles per pixel, got 0\.0"),
        ("low=0.8,high=0.9", r"needs low above 0 and below 0\.7071 cycles per pixel, got 0\.8"),
        ("high=-0.1", "needs high above 0"),
        ("method=box", "needs method to be one of gaussian, butterworth, ideal, got 'box'"),
        ("order=0", "needs order of at least 1, got 0"),
        ("rings=0", "needs rings from 1 to 1024, got 0"),
        ("orientations=0", "needs orientations from 1 to 1024, got 0"),
    ],
)
def test_bad_parameters_are_refused(spec, message):
    with pytest.raises(BadParameter, match=f"bandpass {message}"):
        imrep.get(f"bandpass:{spec}")


def test_bad_cutoffs_and_codes_are_refused():
    for value in (math.nan, math.inf):
        with pytest.raises(BadParameter, match="bandpass needs high above 0"):
            band(high=value)
    with pytest.raises(BadCode, match="bandpass needs 1 or 3 maps of 9×9"):
        band().invert(Map(torch.rand(1, 3, 9, 8), (9, 9)))
    with pytest.raises(BadImage, match=r"bandpass needs float32 or float64, got torch\.float16"):
        imrep.get("bandpass").encode(photo(16, 16).half())
    with pytest.raises(BadImage, match="bandpass needs finite values"):
        band().encode(torch.full((1, 1, 4, 4), torch.nan))
