"""The filter bank: circular convolution, rectified, and its exact inverse."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import imrep
from imrep.errors import BadImage, BadParameter, NoInverse
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


def test_a_batch_is_inverted_like_its_images():
    bank = imrep.get(_SMALL)
    image = photo(20, 16, batch=3).double()
    whole = bank.invert(bank.encode(image))
    single = torch.cat([bank.invert(bank.encode(one)) for one in image.split(1)])
    torch.testing.assert_close(whole, single, rtol=0, atol=1e-12)


def test_black_and_white_are_inverted():
    bank = imrep.get("filterbank")
    image = torch.stack([torch.zeros(3, 16, 16), torch.ones(3, 16, 16)])
    torch.testing.assert_close(bank.invert(bank.encode(image)), image, rtol=0, atol=1e-6)


def test_equals_the_reference(refs, tmp_path):
    stored = np.load(refs / "classic" / "f1_filterbank.npz")
    np.save(tmp_path / "kernels.npy", stored["kernels"])
    bank = imrep.get("filterbank", bank=str(tmp_path / "kernels.npy"))
    image = torch.from_numpy(stored["img_u8"])[None, None].float() / 255
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


def test_kernels_from_a_file_are_saved_with_it_and_named_by_digest(tmp_path):
    np.savez(tmp_path / "mine.npz", np.random.default_rng(0).normal(size=(5, 3, 4)))
    bank = imrep.get("filterbank", bank=str(tmp_path / "mine.npz"), cells=2)
    back = imrep.load(bank.save(tmp_path / "saved"))
    (tmp_path / "mine.npz").unlink()
    assert "mine" not in bank.spec
    assert (back.spec, back.fingerprint) == (bank.spec, bank.fingerprint)
    torch.testing.assert_close(back.embed(photo(9, 9)), bank.embed(photo(9, 9)))
    again = imrep.load(back.save(tmp_path / "twice"))
    assert again.fingerprint == bank.fingerprint


def test_gradient_reaches_the_image():
    bank = imrep.get("filterbank:bank=random,size=3,cells=1")
    image = photo(4, 5, batch=1, channels=1).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: bank.encode(x).values, image)


def test_too_small_an_image_is_refused():
    with pytest.raises(
        BadImage, match=r"at least 15×15, its filters' size, got 12×40. Use size=12"
    ):
        imrep.get("filterbank").encode(photo(12, 40))
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
    ],
)
def test_bad_banks_are_refused(tmp_path, monkeypatch, bank, message):
    monkeypatch.chdir(tmp_path)
    np.save("flat.npy", np.ones((3, 3)))
    np.save("complex.npy", np.ones((3, 3, 3), complex))
    np.savez("two.npz", a=np.ones((3, 3, 3)), b=np.ones((3, 3, 3)))
    with pytest.raises(BadParameter, match=message):
        imrep.get("filterbank", bank=bank)
