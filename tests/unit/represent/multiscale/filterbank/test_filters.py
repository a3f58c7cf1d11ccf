"""Built-in banks, and banks from files."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from imrep.errors import BadParameter
from imrep.represent.multiscale.filterbank import filters


@pytest.mark.parametrize("size", [5, 8, 11])
def test_gabor_filters_have_no_mean_and_unit_norm_but_the_first(size):
    bank = filters.gabor(size)
    assert bank.shape == (25, size, size)
    assert bank[0].sum() == pytest.approx(1) and bank[0].min() > 0
    assert_close(bank[1:].sum((1, 2)), torch.zeros(24).double(), rtol=0, atol=1e-12)
    assert_close(bank[1:].norm(dim=(1, 2)), torch.ones(24).double())


def test_gabor_cosines_are_even_and_sines_odd():
    bank = filters.gabor(9)
    assert_close(bank[1::2], bank[1::2].flip(1, 2), rtol=0, atol=1e-14)
    assert_close(bank[2::2], -bank[2::2].flip(1, 2), rtol=0, atol=1e-14)
    angles = bank[1:].unflatten(0, (3, 4, 2))  # wavelength, orientation, phase
    assert_close(angles[:, 2], angles[:, 0].mT, rtol=0, atol=1e-12)  # 90° is the transpose of 0°


def test_the_dct_bank_is_orthonormal():
    flat = filters.dct(6).flatten(1)
    assert_close(flat @ flat.T, torch.eye(36).double())


def test_the_random_bank_is_the_same_every_time_and_of_unit_expected_norm():
    first = filters.random(20)
    torch.manual_seed(5)
    assert torch.equal(filters.random(20), first)
    assert first.square().sum((1, 2)).mean() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".safetensors", ".NPY"])
def test_files_give_their_kernels(tmp_path, suffix):
    from safetensors.numpy import save_file

    kernels = np.random.default_rng(0).standard_normal((3, 2, 5)).astype(np.float32)
    path = str(tmp_path / f"bank{suffix}")
    if suffix == ".npz":
        np.savez(path, anything=kernels)
    elif suffix == ".safetensors":
        save_file({"kernels": kernels, "thresholds": np.arange(3)}, path)
    else:
        with (tmp_path / f"bank{suffix}").open("wb") as file:
            np.save(file, kernels)
    found, thresholds = filters.read(path, "filterbank")
    assert found.dtype == torch.float64
    np.testing.assert_array_equal(found, kernels)
    assert (thresholds is not None) is (suffix == ".safetensors")
    assert thresholds is None or thresholds.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("bank.txt", b"1 2", "gabor, random, dct, or a .npy, .npz or .safetensors file"),
        ("bank.npy", b"no array", "cannot read kernels from"),
        ("bank.npz", b"PK\x03\x04 broken", "cannot read kernels from"),
        ("bank.safetensors", b"\xff" * 16, "cannot read kernels from"),
        ("bank.npy", None, "cannot read kernels from"),
    ],
)
def test_broken_files_are_refused_by_name(tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadParameter, match=f"filterbank .*{message}"):
        filters.read(str(path), "filterbank")


def test_an_archive_named_as_an_array_and_an_array_as_an_archive_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", kernels=np.ones((1, 2, 2)))
    (tmp_path / "a.npz").rename(tmp_path / "a.npy")
    np.save(tmp_path / "b.npy", np.ones((1, 2, 2)))
    (tmp_path / "b.npy").rename(tmp_path / "b.npz")
    for name in ("a.npy", "b.npz"):
        with pytest.raises(BadParameter, match="filterbank cannot read kernels from"):
            filters.read(str(tmp_path / name), "filterbank")


def test_pickled_objects_are_never_loaded(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}]), allow_pickle=True)
    np.savez(tmp_path / "a.npz", kernels=np.array([{}]))
    for name in ("a.npy", "a.npz"):
        with pytest.raises(BadParameter, match="cannot read kernels"):
            filters.read(str(tmp_path / name), "filterbank")
