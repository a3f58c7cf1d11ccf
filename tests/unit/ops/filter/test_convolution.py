"""Kernels as text and files, and correlation with them."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep.errors import BadParameter
from imrep.ops.filter import convolution

SIDES = st.integers(1, 8)
NUMBERS = st.floats(-1e9, 1e9, allow_subnormal=False)


def random_matrix(rows, columns, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, columns))


@given(SIDES.flatmap(lambda n: st.lists(st.lists(NUMBERS, min_size=n, max_size=n), min_size=1)))
def test_text_gives_the_same_matrix_back(rows):
    matrix = np.array(rows)
    np.testing.assert_array_equal(convolution.read(convolution.text(matrix), "x"), matrix)


@pytest.mark.parametrize(
    "source", ["1 -2; 0.5 4", "1,-2;.5,4", "2/2 -4/2\n1/2 4e0\n", " +1,-2; 5e-1 4;"]
)
def test_numbers_may_be_separated_and_written_in_several_ways(source):
    np.testing.assert_array_equal(convolution.read(source, "x"), [[1, -2], [0.5, 4]])


@pytest.mark.parametrize("suffix", [".txt", ".csv", ".npy"])
def test_files_hold_a_matrix(tmp_path, suffix):
    matrix, path = random_matrix(3, 5), tmp_path / f"kernel{suffix}"
    if suffix == ".npy":
        np.save(path, matrix)
    else:
        np.savetxt(path, matrix, fmt="%.17g", delimiter="," if suffix == ".csv" else " ")
    np.testing.assert_array_equal(convolution.read(str(path), "x"), matrix)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "rows of one length, got no numbers in ''"),
        ("1 2; 3", "got 1 and 2 numbers in '1 2; 3'. Put semicolons"),
        ("1/0", "cannot read a matrix from '1/0'"),
        ("1 2e", "cannot read a matrix from '1 2e'"),
        ("1e999999999 0", "finite numbers"),  # as an exact integer it would fill the memory
        ("1/2/3", "cannot read a matrix from '1/2/3'"),
        ("nan", "needs sharpen, .* got 'nan'"),
        ("sobel", "needs sharpen, sharpen_soft, edge, .* got 'sobel'"),
        (" ".join(["1"] * 256), "at most 255×255, got float64 1×256. Check the file"),
    ],
)
def test_text_without_a_matrix_is_refused(source, message):
    with pytest.raises(BadParameter, match=f"^edge.*{message}"):
        convolution.read(source, "edge")


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(3),
        np.zeros((0, 3)),
        np.ones((1, 2, 2)),
        np.array([[1, np.nan]]),
        np.ones((2, 2), complex),
        np.array([["a"]]),
        np.array([[None]]),
    ],
)
def test_arrays_that_are_no_matrix_are_refused(tmp_path, array):
    np.save(tmp_path / "k.npy", array, allow_pickle=True)
    with pytest.raises(BadParameter, match="blur needs"):
        convolution.read(str(tmp_path / "k.npy"), "blur")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY\x01\x00"])
def test_broken_array_files_are_refused(tmp_path, content):
    (tmp_path / "k.npy").write_bytes(content)
    with pytest.raises(BadParameter, match=r"blur needs .* or a .txt, .csv or .npy file"):
        convolution.read(str(tmp_path / "k.npy"), "blur")


@given(SIDES, SIDES, st.integers(1, 12), st.integers(1, 12), st.booleans())
def test_correlation_is_scipys(rows, columns, height, width, dense):
    from scipy.ndimage import correlate

    matrix = random_matrix(rows, columns)
    if not dense:
        matrix.flat[1::3] = matrix.flat[2::3] = 0
    image = torch.rand(2, 2, height, width, dtype=torch.float64)
    wanted = correlate(image.numpy(), matrix[None, None], mode="mirror")
    out = convolution.correlate(image, matrix)
    assert_close(out, torch.from_numpy(wanted), rtol=0, atol=1e-11)


def test_a_matrix_of_zeros_gives_zeros():
    image = torch.rand(1, 1, 5, 5)
    assert not convolution.correlate(image, np.zeros((7, 7))).any()


@given(st.integers(-4, 4), st.integers(-4, 4))
def test_a_shift_moves_the_image_right_and_down(dx, dy):
    image = torch.rand(1, 1, 12, 12)
    moved = convolution.correlate(image, convolution.shift(dx, dy))
    assert_close(moved[..., 4 + dy : 8 + dy, 4 + dx : 8 + dx], image[..., 4:8, 4:8], rtol=0, atol=0)


@pytest.mark.parametrize("name", convolution.FIXED)
def test_fixed_kernels_pass_or_remove_constants(name):
    matrix = convolution.read(convolution.FIXED[name], "x")
    total = 1 if name.startswith("sharpen") else 0
    assert matrix.sum() == pytest.approx(total, abs=1e-15)
    assert convolution.symmetric(matrix) and convolution.has_sum(matrix) is (total == 1)


def test_means_and_unsharp_masks_keep_constants():
    for matrix in (
        convolution.box(4),
        convolution.gaussian(1.3),
        convolution.gaussian(2, 5),
        convolution.unsharp(3.0, 1.0),
    ):
        assert matrix.sum() == pytest.approx(1, abs=1e-12)
    assert convolution.gaussian(1.3).shape == (11, 11)  # a radius of four deviations
    np.testing.assert_array_equal(convolution.unsharp(0, 2.0, 7), convolution.delta(7, 7))
    # At alpha = -1 the unsharp mask is the blur itself.
    np.testing.assert_allclose(
        convolution.unsharp(-1, 2, 7), convolution.gaussian(2, 7), atol=1e-15
    )


def test_a_unit_kernel_sums_to_one_and_one_without_a_sum_is_refused():
    assert convolution.unit(np.array([[1.0, 2.0], [3.0, -2.0]]), "x").tolist() == [
        [0.25, 0.5],
        [0.75, -0.5],
    ]
    with pytest.raises(BadParameter, match=r"x needs weights .* got '1 -1'. Leave out normalise"):
        convolution.unit(np.array([[1.0, -1.0]]), "x")
    assert not convolution.has_sum(np.array([[0.1, 0.2, -0.3]]))  # their float64 sum is 3e-17


@pytest.mark.parametrize(
    ("rows", "is_symmetric"),
    [([[1, 2, 1]], True), ([[1, 2]], False), ([[1, 2, 3]], False), ([[1], [2], [3]], False)],
)
def test_symmetry_is_about_the_middle_of_odd_sides(rows, is_symmetric):
    assert convolution.symmetric(np.array(rows)) is is_symmetric


@given(st.integers(0, 10), st.integers(0, 7))
def test_cosines_of_the_mirrored_image_are_scaled_by_the_gain(ky, kx):
    """A symmetric kernel on mirrored borders has the cosines as its eigenvectors."""
    matrix = np.abs(np.add.outer(np.abs(np.arange(-2, 3)), np.abs(np.arange(-3, 4)))) ** 1.5
    y, x = (torch.tensor([k / (2 * (n - 1))], dtype=torch.float64) for k, n in ((ky, 11), (kx, 8)))
    rows, columns = (torch.cos(2 * torch.pi * f * torch.arange(n)) for f, n in ((y, 11), (x, 8)))
    wave = torch.outer(rows, columns)[None, None]
    gain = convolution.gain(matrix, y, x)
    assert_close(convolution.correlate(wave, matrix), gain * wave, rtol=0, atol=1e-10)
