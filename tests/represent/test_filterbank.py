"""The filter bank: circular convolution, rectified, and its exact inverse."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import skimage.data
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

import imrep
from imrep.codes import Map
from imrep.errors import BadCode, BadImage, BadParameter, NoInverse
from imrep.testing import photo

_SMALL = "filterbank:bank=random,size=5,cells=2"


@pytest.mark.parametrize("spec", ["filterbank", "filterbank:bank=dct,size=6", _SMALL])
@pytest.mark.parametrize("size", [(33, 40), (16, 17)])
def test_inverse_from_positive_responses_is_exact(spec, size):
    bank = imrep.get(spec)
    image = photo(*size, batch=1)
    code = bank.encode(image)
    assert bank.inverse == "exact"
    assert float(bank.equations(code).min()) > 1
    torch.testing.assert_close(bank.invert(code), image, rtol=0, atol=3e-6)


def decibels(got, wanted):
    return float(-10 * (got - wanted).square().mean().log10())


@pytest.fixture
def stored(references):
    return references("filterbank")


def with_banks(arrays, folder):
    """The photograph in double precision, and a maker of banks of the kernels."""

    def bank(kernels=slice(None), thresholds=None, **more):
        chosen = {"kernels": arrays["kernels"][kernels]}
        if thresholds is not None:
            chosen["thresholds"] = thresholds
        np.savez(folder / "bank.npz", **chosen)
        return imrep.get("filterbank", bank=str(folder / "bank.npz"), **more)

    return torch.from_numpy(arrays["img_u8"] / 255)[None, None], bank


@pytest.fixture
def shared(stored, tmp_path):
    return with_banks(stored, tmp_path)


@pytest.fixture
def measured(refs, tmp_path):
    """The stored photograph and kernels, which the numbers of some tests were measured with."""
    with np.load(refs / "classic" / "f1_filterbank.npz") as arrays:
        return with_banks(dict(arrays), tmp_path)


@settings(max_examples=20)
@given(
    st.integers(5, 40),
    st.integers(5, 40),
    st.sampled_from([1, 3]),
    st.sampled_from(["relu", "crelu", "none"]),
)
def test_inverse_is_exact_for_any_size(height, width, channels, rectify):
    bank = imrep.get("filterbank:bank=random,size=5", rectify=rectify)
    image = photo(height, width, batch=1, channels=channels)
    torch.testing.assert_close(bank.invert(bank.encode(image)), image, rtol=0, atol=5e-6)


def _stopped(bank, code, steps):
    """The image after so many steps, solved for or not."""
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        return bank.invert(code, steps)


@pytest.mark.parametrize(
    ("spec", "five", "ten", "thirty"),
    [
        ("filterbank:bank=random,size=7", 66, 100, 140),
        ("filterbank:bank=dct,size=8", 60, 90, 200),
        ("filterbank", 50, 71, 147),
    ],
)
def test_positive_responses_give_the_image_back_in_few_steps(shared, spec, five, ten, thirty):
    image = shared[0][..., :48, :48]
    bank = imrep.get(spec)
    code = bank.encode(image)
    for steps, least in ((5, five), (10, ten), (30, thirty)):
        assert decibels(_stopped(bank, code, steps), image) > least


def test_the_start_is_preconditioned_and_steps_count(shared):
    image, bank = shared[0], shared[1]()
    code = bank.encode(image)
    found = [decibels(_stopped(bank, code, steps), image) for steps in (0, 1, 5, 12)]
    assert found == sorted(found) and found[2] > 66 and found[3] > 125


@pytest.mark.parametrize(
    ("share", "after"),
    [
        (0.05, {10: (110, 112), 30: (275, 290), 100: (300, 350)}),
        (0.2, {10: (54, 57), 30: (88, 94), 100: (190, 210)}),
        (0.5, {10: (28, 31), 100: (29, 32)}),  # too little is left: no bank could
        (1.0, {10: (22, 24), 100: (23, 25)}),
    ],
)
def test_thresholds_below_a_fifth_of_the_deviation_lose_nothing(measured, share, after):
    image, make = measured
    deviations = make(rectify="none").encode(image).values.std((2, 3))[0]
    bank = make(thresholds=(share * deviations).numpy())
    assert bank.inverse == "approximate"
    code = bank.encode(image)
    for steps, (low, high) in after.items():
        assert low < decibels(bank.invert(code, steps), image) < high


def test_a_threshold_is_taken_from_the_responses():
    image = photo(16, 17)
    plain = imrep.get("filterbank:rectify=none").encode(image).values
    code = imrep.get("filterbank:threshold=0.05").encode(image)
    torch.testing.assert_close(code.values, (plain - 0.05).relu())
    soft = imrep.get("filterbank:threshold=0.05,rectify=crelu")
    above, below = soft.encode(image).values.unflatten(1, (3, 2, -1)).unbind(2)
    torch.testing.assert_close(above.flatten(1, 2), (plain - 0.05).relu())
    torch.testing.assert_close(below.flatten(1, 2), (-plain - 0.05).relu())
    assert decibels(soft.invert(soft.encode(image)), image) > 30


@pytest.mark.parametrize(("kernels", "least"), [(2, 40), (3, 112), (4, 112)])
def test_few_filters_need_an_equation_per_pixel(measured, kernels, least):
    image, make = measured
    bank = make(slice(kernels))
    code = bank.encode(image)
    assert bank.inverse == ("approximate" if kernels < 4 else "exact")
    assert (float(bank.equations(code)) > 1) == (kernels > 2)
    assert decibels(_stopped(bank, code, 100), image) > least


def test_filters_that_never_fire_leave_the_start(measured):
    image, make = measured
    bank = make(slice(1))
    code = bank.encode(image)
    assert float(bank.equations(code)) == 0
    assert bank.invert(code).abs().max() == 0


@pytest.mark.parametrize("kind", ["added", "in proportion", "clipped"])
def test_noise_of_one_percent_leaves_56_decibels(shared, kind):
    image, bank = shared[0], shared[1]()
    maps = bank.encode(image).values
    dice = torch.randn(maps.shape, generator=torch.Generator().manual_seed(0), dtype=maps.dtype)
    size = 0.01 * (maps if kind == "in proportion" else maps.std((2, 3), keepdim=True))
    noisy = maps + size * dice
    noisy = noisy.relu() if kind == "clipped" else noisy
    told = float(size.max()) if kind == "clipped" else None
    assert decibels(bank.invert(Map(noisy, (96, 96)), noise=told), image) > 56


@pytest.mark.parametrize("rectify", ["relu", "crelu", "none"])
def test_a_bank_without_brightness_keeps_the_mean(stored, tmp_path, rectify):
    kernels = stored["kernels"] - stored["kernels"].mean((1, 2), keepdims=True)
    np.save(tmp_path / "waves.npy", kernels)
    bank = imrep.get("filterbank", bank=str(tmp_path / "waves.npy"), rectify=rectify)
    image = photo(30, 33)
    code = bank.encode(image)
    per = 17 * (2 if rectify == "crelu" else 1)
    assert code.values.shape[1] == 3 * per and bank.dim == 16 * 3 * per
    mean = image.mean((2, 3), keepdim=True).expand_as(image)
    torch.testing.assert_close(code.values[:, 16::per], mean)
    assert bank.inverse == "exact" and float(bank.equations(code).max()) <= 16
    torch.testing.assert_close(bank.invert(code), image, rtol=0, atol=5e-6)


def test_both_signs_and_no_rectifier_are_solved_at_once():
    image = photo(33, 40).double()
    plain = imrep.get("filterbank:rectify=none")
    both = imrep.get("filterbank:rectify=crelu")
    responses = plain.encode(image).values
    above, below = both.encode(image).values.unflatten(1, (3, 2, -1)).unbind(2)
    torch.testing.assert_close((above - below).flatten(1, 2), responses)
    for bank in (plain, both):
        back = bank.invert(bank.encode(image), 0)
        torch.testing.assert_close(back, image, rtol=0, atol=1e-11)
    assert plain.encode(image).signed
    together = plain.encode(image[:1] - 2 * image[1:]).values
    torch.testing.assert_close(together, responses[:1] - 2 * responses[1:])


def test_tikhonov_is_ridge_regression_in_frequencies():
    image = photo(12, 15, batch=1, channels=1).double()
    bank = imrep.get("filterbank:bank=random,size=5,rectify=none")
    got = bank.invert(bank.encode(image), tikhonov=0.1)
    rows = torch.stack(
        [bank.encode(unit.view(1, 1, 12, 15)).values.flatten() for unit in torch.eye(180).double()]
    ).T
    normal = rows.T @ rows
    power = torch.linalg.eigvalsh(normal)[-1]  # the bank's greatest
    wanted = torch.linalg.solve(
        normal + 0.1 * power * torch.eye(180), rows.T @ bank.encode(image).values.flatten()
    )
    torch.testing.assert_close(got.flatten(), wanted)


def test_tikhonov_gives_what_a_blind_bank_sees(tmp_path):
    np.save(tmp_path / "edge.npy", np.array([[[0.0, 0, 0], [-1, 1, 0], [0, 0, 0]]]))
    bank = imrep.get("filterbank", bank=str(tmp_path / "edge.npy"), rectify="crelu")
    image = 0.35 + 0.3 * photo(24, 24).double()
    code = bank.encode(image)
    back = bank.invert(code, tikhonov=1e-9)
    torch.testing.assert_close(bank.encode(back).values, code.values, rtol=0, atol=1e-5)
    with pytest.raises(NoInverse, match="or pass tikhonov=1e-3"):
        bank.invert(code)


def test_gradients_pass_through_the_solver():
    bank = imrep.get("filterbank:bank=random,size=3")
    image = photo(3, 4, batch=1, channels=1).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: bank.invert(bank.encode(x)), image)
    soft = imrep.get("filterbank:bank=random,size=3,rectify=crelu,threshold=0.05")
    values = soft.encode(image).values.detach().requires_grad_()
    code = Map(values, (3, 4))
    (slope,) = torch.autograd.grad(soft.invert(code).square().sum(), values)
    moved = Map(values.detach() + 1e-6 * (values > 0) * torch.randn_like(values), (3, 4))
    change = soft.invert(moved).square().sum() - soft.invert(code).square().sum()
    linear = (slope * (moved.values - values)).sum()
    torch.testing.assert_close(change, linear, rtol=1e-3, atol=0)


@pytest.mark.parametrize("deviation", [10, 25, 50])
def test_denoising_beats_non_local_means(deviation):
    from skimage.restoration import denoise_nl_means

    image = skimage.data.camera()[100:228, 180:308] / 255
    noise = deviation / 255
    noisy = image + noise * np.random.default_rng(0).normal(size=image.shape)
    peer = denoise_nl_means(noisy, 5, 6, 0.8 * noise, fast_mode=True, sigma=noise)
    wanted, given = (torch.from_numpy(x)[None, None] for x in (image, noisy))
    bank = imrep.get("filterbank:bank=dct,size=8")
    told, blind = bank.denoise(given, noise), bank.denoise(given)
    assert decibels(told, wanted) > decibels(torch.from_numpy(peer), wanted[0, 0]) + 0.2
    assert decibels(blind, wanted) > decibels(told, wanted) - 0.3


def test_denoising_a_clean_image_changes_little():
    image = photo(40, 33, channels=1)
    smooth = torch.nn.functional.avg_pool2d(image, 9, 1, 4)
    bank = imrep.get("filterbank:bank=dct,size=8,rectify=crelu,threshold=0.1")
    torch.testing.assert_close(bank.denoise(image, 0.0), image, rtol=0, atol=1e-6)
    assert decibels(bank.denoise(smooth), smooth) > 45
    flat = torch.full((1, 3, 20, 20), 0.3)
    torch.testing.assert_close(bank.denoise(flat), flat, rtol=0, atol=1e-6)


def test_denoising_is_a_loop_and_differentiable():
    bank = imrep.get("filterbank:bank=dct,size=4")
    noisy = photo(17, 20) + 0.1 * torch.randn(2, 3, 17, 20)
    whole = bank.denoise(noisy)
    torch.testing.assert_close(torch.cat([bank.denoise(one) for one in noisy.split(1)]), whole)
    image = noisy[:1].double().requires_grad_()
    (slope,) = torch.autograd.grad(bank.denoise(image).sum(), image)
    assert slope.isfinite().all() and slope.any()


def test_a_batch_is_inverted_as_its_images_are():
    bank = imrep.get(_SMALL)
    image = photo(20, 16, batch=3).double()
    whole = bank.invert(bank.encode(image))
    single = torch.cat([bank.invert(bank.encode(one)) for one in image.split(1)])
    torch.testing.assert_close(whole, single, rtol=0, atol=1e-12)


def test_black_and_white_are_inverted():
    bank = imrep.get("filterbank")
    image = torch.stack([torch.zeros(3, 16, 16), torch.ones(3, 16, 16)])
    torch.testing.assert_close(bank.invert(bank.encode(image)), image, rtol=0, atol=1e-6)


def test_equals_the_reference(stored, shared):
    bank, image = shared[1](), shared[0].float()
    code = bank.encode(image)
    np.testing.assert_allclose(code.values[0].numpy(), stored["relu"], rtol=0, atol=1e-5)
    torch.testing.assert_close(bank.invert(code), image, rtol=0, atol=1e-5)
    low, high = bank.frame_bounds
    assert low == pytest.approx(stored["frame_sum"].min(), rel=0.1)  # at 64 × 64, not 96 × 96
    assert high == pytest.approx(stored["frame_sum"].max(), rel=0.1)


def test_is_a_circular_convolution():
    bank = imrep.get(_SMALL)
    image = photo(9, 11, batch=1, channels=1).double()
    kernel = bank.kernels[3].double()
    shifts = [kernel[v, u] * image.roll((v - 2, u - 2), (2, 3)) for v in range(5) for u in range(5)]
    torch.testing.assert_close(bank.encode(image).values[:, 3:4], sum(shifts).relu())


def test_moving_round_the_border_moves_the_maps():
    bank = imrep.get("filterbank")
    image = photo(24, 31).double()
    moved = bank.encode(image.roll((5, -3), (2, 3))).values
    torch.testing.assert_close(moved, bank.encode(image).values.roll((5, -3), (2, 3)))


def test_gabor_waves_are_blind_to_brightness():
    kernels = imrep.get("filterbank").kernels
    sums = kernels.sum((1, 2))
    torch.testing.assert_close(sums, torch.eye(len(kernels))[0], rtol=0, atol=1e-5)
    torch.testing.assert_close(kernels[1:].flatten(1).norm(dim=1), torch.ones(len(kernels) - 1))


def test_the_dct_bank_is_a_tight_frame():
    assert imrep.get("filterbank:bank=dct,size=8").condition == pytest.approx(1, abs=1e-5)
    assert imrep.get("filterbank").condition < 1000


def test_a_bank_blind_to_the_mean_has_no_inverse(tmp_path):
    kernel = torch.tensor([[[0.0, 0.0, 0.0], [-1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]])
    save_file({"kernels": kernel, "other": torch.ones(1)}, tmp_path / "edge.safetensors")
    bank = imrep.get("filterbank", bank=str(tmp_path / "edge.safetensors"))
    assert bank.inverse == "none"
    with pytest.raises(NoInverse, match="filterbank needs a bank that passes every frequency"):
        bank.invert(bank.encode(photo(16, 16)))


def test_kernels_from_a_file_are_saved_with_it_and_named_as_given(tmp_path):
    np.savez(tmp_path / "mine.npz", np.random.default_rng(0).normal(size=(5, 3, 4)))
    bank = imrep.get("filterbank", bank=str(tmp_path / "mine.npz"), cells=2)
    back = imrep.load(bank.save(tmp_path / "saved"))
    (tmp_path / "mine.npz").unlink()
    assert bank.spec == f"filterbank:bank={tmp_path / 'mine.npz'},cells=2"
    assert (back.spec, back.fingerprint) == (str(tmp_path / "saved"), bank.fingerprint)
    torch.testing.assert_close(back.embed(photo(9, 9)), bank.embed(photo(9, 9)))
    again = imrep.load(back.save(tmp_path / "twice"))
    assert again.fingerprint == bank.fingerprint


def test_thresholds_from_a_file_are_saved_with_it(tmp_path):
    kernels = torch.randn(5, 3, 4)
    save_file({"kernels": kernels, "thresholds": torch.rand(5)}, tmp_path / "mine.safetensors")
    bank = imrep.get("filterbank", bank=str(tmp_path / "mine.safetensors"), rectify="crelu")
    back = imrep.load(bank.save(tmp_path / "saved"))
    assert set(load_file(tmp_path / "saved" / "weights.safetensors")) == {"kernels", "thresholds"}
    assert back.fingerprint == bank.fingerprint
    torch.testing.assert_close(back.embed(photo(9, 9)), bank.embed(photo(9, 9)))
    save_file({"kernels": kernels}, tmp_path / "mine.safetensors")
    assert bank.fingerprint != imrep.get(bank.spec).fingerprint


def test_gradient_reaches_the_image():
    bank = imrep.get("filterbank:bank=random,size=3,cells=1")
    image = photo(4, 5, batch=1, channels=1).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: bank.encode(x).values, image)


def test_too_small_an_image_is_refused():
    with pytest.raises(
        BadImage, match=r"at least 15×15, its filters' size, got 12×40. Use size=12"
    ):
        imrep.get("filterbank").encode(photo(12, 40))
    with pytest.raises(BadImage, match=r"filterbank needs float32 or float64, got torch\.float16"):
        imrep.get("filterbank").encode(photo(16, 16).half())
    with pytest.raises(BadImage, match=r"got 1×40\. Enlarge them first"):
        imrep.get("filterbank").encode(photo(1, 40))


@pytest.mark.parametrize(
    ("bank", "message"),
    [
        ("gabbor", "needs bank to be gabor, random, dct, or a .npy"),
        ("absent.npy", "cannot read kernels"),
        ("flat.npy", r"needs finite real kernels \(k, h, w\) .* got float64 \(3, 3\)"),
        ("complex.npy", "got complex128"),
        ("two.npz", "got no array named kernels"),
        ("biased.npz", r"needs 3 finite real thresholds .* one per kernel, got float64 \(2,\)"),
    ],
)
def test_bad_banks_are_refused(tmp_path, monkeypatch, bank, message):
    monkeypatch.chdir(tmp_path)
    np.save("flat.npy", np.ones((3, 3)))
    np.save("complex.npy", np.ones((3, 3, 3), complex))
    np.savez("two.npz", a=np.ones((3, 3, 3)), b=np.ones((3, 3, 3)))
    np.savez("biased.npz", kernels=np.ones((3, 3, 3)), thresholds=np.ones(2))
    with pytest.raises(BadParameter, match=message):
        imrep.get("filterbank", bank=bank)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("rectify=abs", "needs rectify to be one of relu, crelu, none, got 'abs'"),
        ("threshold=-0.1", "needs threshold from 0"),
        ("threshold=0.1,rectify=none", "needs rectify=relu or crelu with a threshold, got none"),
        ("size=1", "needs size from 2 to 255"),
    ],
)
def test_bad_parameters_are_refused(spec, message):
    with pytest.raises(BadParameter, match=f"filterbank {message}"):
        imrep.get(f"filterbank:{spec}")


def test_codes_of_other_banks_are_refused():
    bank = imrep.get("filterbank")
    code = bank.encode(photo(20, 21))
    with pytest.raises(BadCode, match="needs 16 or 48 maps of 20×21, got 75 of 20×21"):
        imrep.get("filterbank:bank=random").invert(code)
    with pytest.raises(BadCode, match="needs 25 or 75 maps of 21×20"):
        bank.invert(replace(code, size=(21, 20)))
    with pytest.raises(BadCode, match="needs finite numbers, got NaN in values"):
        bank.invert(replace(code, values=code.values * torch.nan))
    for wrong in ({"tikhonov": -1.0}, {"noise": -1.0}, {"iterations": -1}):
        with pytest.raises(BadParameter, match=f"filterbank needs {next(iter(wrong))}"):
            bank.invert(code, **wrong)
