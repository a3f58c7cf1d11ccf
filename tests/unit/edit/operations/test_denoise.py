"""Denoising: nothing to take leaves all, peers are behind, and what is given need not be told."""

import io
import math

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import astronaut, camera

import imrep
from imrep import images
from imrep.edit import measurements
from imrep.edit.operations.blur import blur
from imrep.edit.operations.denoise import denoise
from imrep.errors import BadImage, BadParameter, WeightsNeeded


def photo(bytes_, side=160):
    x = torch.from_numpy(np.atleast_3d(bytes_[40 : 40 + side, 150 : 150 + side]).copy())
    return x.permute(2, 0, 1)[None] / 255


def noisy(image, noise):
    generator = torch.Generator().manual_seed(0)
    return (image + noise * torch.randn(image.shape, generator=generator)).clamp(0, 1)


def decibels(x, y):
    return -10 * math.log10(float((x - y).square().mean()))


@pytest.mark.parametrize("stride", [1, 4])
@pytest.mark.parametrize("size", [(8, 8), (9, 300), (40, 51)])
def test_without_noise_nothing_changes(size, stride):
    image = torch.rand(2, 3, *size)
    torch.testing.assert_close(denoise(image, noise=0, stride=stride), image, rtol=0, atol=2e-6)


@pytest.mark.parametrize(
    ("method", "within"), [("combined", 0.02), ("network", 0.02), ("shrinkage", 1e-6)]
)
def test_a_constant_stays(method, within):
    flat = torch.full((1, 3, 20, 31), 0.3)
    for noise in (None, 0.0, 0.1):
        clean = denoise(flat, noise=noise, method=method)
        torch.testing.assert_close(clean, flat, rtol=0, atol=within if noise else 0)


@pytest.mark.parametrize("deviation", [15, 25, 50])
@pytest.mark.parametrize("bytes_", [astronaut(), camera()], ids=["colour", "gray"])
def test_scikit_images_non_local_means_and_total_variation_are_behind(bytes_, deviation):
    from skimage.restoration import denoise_nl_means, denoise_tv_chambolle

    image, noise = photo(bytes_), deviation / 255
    degraded = noisy(image, noise)
    result = decibels(denoise(degraded, noise=noise), image)
    x = degraded[0].permute(1, 2, 0).squeeze(2).numpy()
    axis = 2 if x.ndim == 3 else None
    means = denoise_nl_means(x, 5, 6, 0.8 * noise, fast_mode=True, sigma=noise, channel_axis=axis)
    variation = denoise_tv_chambolle(x, weight=1.3 * noise, channel_axis=axis)
    for peer in (means, variation):
        peer = torch.from_numpy(np.atleast_3d(peer)).permute(2, 0, 1)[None]
        assert result > decibels(peer.clamp(0, 1), image) + 0.3


def test_it_is_as_good_as_the_filter_banks_and_all_blocks():
    image, noise = photo(astronaut(), 128), 0.1
    degraded = noisy(image, noise)
    result, dense = (
        decibels(denoise(degraded, noise=noise, method="shrinkage", stride=s), image)
        for s in (4, 1)
    )
    bank = imrep.get("filterbank:bank=dct,size=8").denoise(degraded, noise)
    assert dense - 0.15 < result < dense
    assert result > decibels(bank, image) - 0.1


@pytest.mark.parametrize("noise", [0.05, 0.1])
@pytest.mark.parametrize("name", ["kodim03", "kodim05", "kodim09"])
def test_both_estimates_are_better_than_either_on_photographs_never_seen(name, noise, shared_data):
    image = images.read(shared_data / "denoising" / "kodak_a" / f"{name}.png")[..., :256, :256]
    degraded = noisy(image, noise)
    combined, network, shrinkage = (
        decibels(denoise(degraded, noise=noise, method=m), image)
        for m in ("combined", "network", "shrinkage")
    )
    assert combined > max(network, shrinkage)


def test_combined_is_the_mean_of_both():
    degraded = noisy(photo(astronaut(), 64), 0.1)
    combined, network, shrinkage = (
        denoise(degraded, noise=0.1, method=m) for m in ("combined", "network", "shrinkage")
    )
    # where neither was clipped
    inside = (network * shrinkage > 0) & (network < 1) & (shrinkage < 1)
    mean = (network + shrinkage) / 2
    torch.testing.assert_close(combined[inside], mean[inside], rtol=0, atol=1e-6)


def test_noise_beyond_the_networks_is_removed_by_shrinkage():
    degraded = noisy(photo(astronaut(), 64), 0.4)
    expected = denoise(degraded, noise=0.4, method="shrinkage")
    assert torch.equal(denoise(degraded, noise=0.4), expected)


def test_other_weights_denoise(tmp_path):
    torch.manual_seed(0)
    imrep.get("dae:weights=random,width=4").save(tmp_path / "model")
    image = noisy(photo(camera(), 40), 0.1)
    # an untrained network estimates no noise
    result = denoise(image, noise=0.1, weights=str(tmp_path / "model"))
    torch.testing.assert_close(result, image)
    with pytest.raises(WeightsNeeded, match="dae needs weights"):
        denoise(image, noise=0.1, weights=str(tmp_path / "nothing"))


@pytest.mark.parametrize("noise", [0.03, 0.1])
def test_the_noise_is_measured_by_default(noise):
    image = photo(astronaut())
    degraded = noisy(image, noise)
    oracle, measured = (
        decibels(denoise(degraded, noise=noise), image),
        decibels(denoise(degraded), image),
    )
    assert measured > oracle - 0.2


@pytest.mark.parametrize(
    ("method", "above"), [("combined", 45), ("network", 43), ("shrinkage", 45)]
)
def test_a_clean_image_hardly_changes(method, above):
    image = photo(astronaut())
    assert decibels(denoise(image, method=method), image) > above


def as_a_camera_writes(image, noise, quality=92):
    """Noise of light, colours through a Bayer pattern and bilinear interpolation, then JPEG."""
    generator = torch.Generator().manual_seed(0)
    light = image + noise * image.sqrt() * torch.randn(image.shape, generator=generator)
    y, x = np.mgrid[: image.shape[2], : image.shape[3]]
    masks = [(y % 2 == 0) & (x % 2 == 0), (y + x) % 2 == 1, (y % 2 == 1) & (x % 2 == 1)]
    kernel = np.outer([1, 2, 1], [1, 2, 1])
    planes = []
    for plane, mask in zip(light[0].numpy(), masks, strict=True):
        masked, weight = (cv2.filter2D(p, -1, kernel / 4) for p in (plane * mask, mask * 1.0))
        planes.append(masked / weight)
    pixels = np.stack(planes, 2).clip(0, 1) * 255
    file = io.BytesIO()
    Image.fromarray(pixels.round().astype(np.uint8)).save(file, "JPEG", quality=quality)
    return torch.from_numpy(np.asarray(Image.open(file)).copy()).permute(2, 0, 1)[None] / 255


@pytest.mark.parametrize("noise", [0.05, 0.06])
@pytest.mark.parametrize("quality", [85, 92])
@pytest.mark.parametrize("method", ["combined", "network", "shrinkage"])
def test_noise_that_a_camera_wrote_is_measured(noise, quality, method):
    image = blur(photo(astronaut(), 240), sigma=1)  # what a lens leaves of it
    degraded = as_a_camera_writes(image, noise, quality)
    with measurements.recording() as records:
        clean = denoise(degraded, method=method)
    by_hand = max(
        decibels(denoise(degraded, noise=n, method=method), image) for n in (0.02, 0.03, 0.05, 0.08)
    )
    assert decibels(clean, image) > decibels(degraded, image) + 1
    assert decibels(clean, image) > by_hand - 0.7
    [record] = records
    assert record.operation == "denoise" and noise / 3 < record.values["noise"] < noise * 1.5
    if method == "combined":  # whose parts take different amplitudes of correlated noise
        return
    again = denoise(degraded, noise=record.values["noise"], method=method)
    torch.testing.assert_close(again, clean, rtol=0, atol=1e-6)


def test_without_noise_it_says_so_and_leaves_all():
    image = torch.linspace(0, 1, 90).expand(1, 3, 70, 90).contiguous()
    with measurements.recording() as records:
        assert torch.equal(denoise(image), image)
    assert records[0].note.startswith("no noise found") and records[0].values["noise"] < 0.3 / 255


@pytest.mark.parametrize("noise", [None, 0.05])
def test_a_gray_scan_in_colours_is_denoised_as_gray(noise):
    gray = noisy(photo(camera(), 128), 0.08)
    scanned = gray.expand(-1, 3, -1, -1) + torch.tensor([0, 0.4, -0.4]).view(1, 3, 1, 1) / 255
    result = denoise(scanned.clamp(0, 1), noise=noise)
    if noise is None:
        assert (result.mean(1, keepdim=True) - denoise(gray)).abs().mean() < 2 / 255


@pytest.mark.parametrize(
    ("name", "gain"),
    [
        ("Canon80D_8_8_12800_printer_14", 2),
        ("Sony_4_200_3200_door_10", 2),
        ("NikonD800_5_125_6400_stair_3", 2),  # mostly texture: its quietest blocks tell
        ("NikonD800_5_100_4000_flower_2", 1),
    ],
)
def test_real_cameras(shared_data, name, gain):
    folder = shared_data / "denoising" / "polyu_real_a"
    dirty, clean = (images.read(folder / kind / f"{name}.JPG") for kind in ("noisy", "clean"))
    assert decibels(denoise(dirty), clean) > decibels(dirty, clean) + gain
    assert torch.equal(denoise(clean), clean)


def test_shrinkage_commutes_with_transposition():
    degraded = noisy(photo(camera(), 64), 0.1)
    turned, straight = (denoise(x, noise=0.1, method="shrinkage") for x in (degraded.mT, degraded))
    torch.testing.assert_close(turned, straight.mT, rtol=0, atol=1e-5)


def test_double_precision_agrees():
    degraded = noisy(photo(camera(), 64), 0.1)
    single, double = denoise(degraded, noise=0.1), denoise(degraded.double(), noise=0.1)
    assert double.dtype == torch.float64
    torch.testing.assert_close(single.double(), double, rtol=0, atol=1e-5)


def test_bad_input_is_refused_by_name():
    image = torch.rand(1, 1, 16, 16)
    with pytest.raises(BadParameter, match="denoise needs noise from 0 to 1, got 25"):
        denoise(image, noise=25)
    with pytest.raises(BadParameter, match="denoise needs stride from 1 to 8, got 9"):
        denoise(image, stride=9)
    with pytest.raises(BadParameter, match="one of combined, network, shrinkage, got 'filter'"):
        denoise(image, method="filter")
    with pytest.raises(BadImage, match="denoise needs images of at least 8×8, got 7×16"):
        denoise(image[..., :7, :])
