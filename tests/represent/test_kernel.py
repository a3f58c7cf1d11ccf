import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import imrep
from imrep.errors import BadCode, BadParameter, NoInverse
from imrep.ops.filter import convolution
from imrep.ops.metrics import psnr
from imrep.testing import photo

EXACT = ("sharpen", "sharpen_soft", "unsharp", "gaussian,sigma=0.5", "1 6 1; 6 40 6; 1 6 1")
LOSSY = ("gaussian", "box", "edge", "laplacian", "shift,dx=3,dy=-2", "1 2 3 4; 0 1 0 -1")


def build(words):
    return imrep.get(f"kernel:kernel={words}")


@pytest.fixture
def stored(references):
    return references("kernels")


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("gaussian,size=9,sigma=1.5", "gauss_9_1p5"),
        ("gaussian,sigma=2", "gauss_auto_s2"),
        ("sharpen", "sharpen"),
        ("0 0 0 0; 0 0 1/4 1/2; 0 0 0 0.25", "filter2d_asym"),
        ("laplacian", "lap1"),
        ("2 0 2; 0 -8 0; 2 0 2", "lap3"),
    ],
)
def test_equals_opencvs_reference(stored, words, key):
    values = build(words).encode(torch.from_numpy(stored["img_f32"])[None, None]).values[0, 0]
    np.testing.assert_allclose(values.numpy(), stored[key], atol=1e-5)


@pytest.mark.parametrize(
    ("words", "key"), [("gaussian,size=9,sigma=1.5", "gauss_u8_9_1p5"), ("box,size=5", "box_u8_5")]
)
def test_bytes_are_opencvs_but_for_their_rounding(stored, words, key):
    values = build(words).encode(torch.from_numpy(stored["img_u8"])[None, None] / 255).values
    distance = (255 * values[0, 0]).round() - torch.from_numpy(stored[key]).float()
    assert distance.abs().max() <= 1


def test_a_shift_moves_right_and_down(stored):
    values = build("shift,dx=2,dy=1").encode(torch.from_numpy(stored["img_f32"])[None, None]).values
    np.testing.assert_array_equal(values[0, 0, 1:, 2:].numpy(), stored["shift_r2_d1"][1:, 2:])


@settings(max_examples=30)
@given(
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    shape=st.tuples(st.integers(1, 8), st.integers(1, 8)),
)
def test_equals_opencv_for_any_matrix(size, shape):
    image = np.random.default_rng(0).random(size)
    matrix = np.random.default_rng(1).normal(size=shape)
    if size[0] <= shape[0] or size[1] <= shape[1]:
        image = np.kron(image, np.ones((10, 10)))  # OpenCV mirrors once only
    theirs = cv2.filter2D(image, cv2.CV_64F, matrix)
    ours = build(convolution.text(matrix)).encode(torch.from_numpy(image)[None, None]).values[0, 0]
    np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-11)


def test_kernels_are_what_the_docstring_says():
    same = convolution.delta(9, 9)
    low = convolution.gaussian(1)
    assert low.shape == (9, 9)
    np.testing.assert_allclose(build("unsharp,alpha=0.7").matrix, 1.7 * same - 0.7 * low)
    np.testing.assert_allclose(10 * build("sharpen_soft").matrix[1], [-2, 22, -2])
    np.testing.assert_allclose(build("edge").matrix, 9 * convolution.delta(3, 3) - 1)
    np.testing.assert_allclose(
        build("1 1; 2 4,normalise=true").matrix, [[1 / 8, 1 / 8], [2 / 8, 0.5]]
    )
    sums = [build(words).matrix.sum() for words in ("sharpen", "sharpen_soft", "unsharp", "box")]
    np.testing.assert_allclose(sums, 1)


def test_encode_is_linear_and_keeps_constants():
    rep = build("unsharp,alpha=2")
    x, y = torch.rand(2, 1, 3, 12, 17, dtype=torch.float64)
    both = rep.encode(2 * x - 3 * y).values
    torch.testing.assert_close(both, 2 * rep.encode(x).values - 3 * rep.encode(y).values)
    flat = torch.full((1, 1, 5, 7), 0.3, dtype=torch.float64)
    torch.testing.assert_close(rep.encode(flat).values, flat)
    assert build("edge").encode(flat).values.abs().max() < 1e-15


@pytest.mark.parametrize("words", EXACT)
@settings(max_examples=10)
@given(height=st.integers(1, 20), width=st.integers(1, 20))
def test_inverse_is_exact(words, height, width):
    rep = build(words)
    assert rep.inverse == "exact"
    image = torch.rand(2, 3, height, width)
    assert (rep.invert(rep.encode(image)) - image).abs().max() < 1e-5
    double = image.double()
    assert (rep.invert(rep.encode(double)) - double).abs().max() < 1e-13


@pytest.mark.parametrize("words", LOSSY)
def test_an_approximate_inverse_is_close(words):
    rep = build(words)
    assert rep.inverse == "approximate"
    image = photo(33, 48, batch=1)
    again = rep.invert(rep.encode(image))
    if words in ("edge", "laplacian"):  # brightness is lost, nothing else
        distance = again - image
        assert (distance - distance.mean((2, 3), keepdim=True)).abs().max() < 1e-4
    elif words.startswith("shift"):
        torch.testing.assert_close(again[..., 2:, :-3], image[..., 2:, :-3], atol=1e-5, rtol=0)
        torch.testing.assert_close(again[..., -3:], torch.full_like(again[..., -3:], 0.5))
    else:
        assert psnr(again, image) > 25


def test_noise_is_not_blown_up_when_it_is_named():
    rep = build("gaussian")
    image = photo(40, 40, batch=1)
    code = rep.encode(image).map(lambda values: (255 * values).round() / 255)
    assert psnr(rep.invert(code, noise=0.001), image) > psnr(rep.invert(code), image) + 3
    assert psnr(rep.invert(code, noise=0.001), image) > psnr(code.values, image)


def test_what_cannot_be_inverted_says_so():
    nothing = build("0 0; 0 0")
    assert nothing.inverse == "none"
    with pytest.raises(NoInverse, match="kernel needs a weight other than zero"):
        nothing.invert(nothing.encode(photo()))
    rep = build("sharpen")
    code = rep.encode(photo())
    with pytest.raises(BadCode, match="kernel needs 1 or 3 maps of 64×64"):
        rep.invert(code.map(lambda values: values[..., 1:]))


@pytest.mark.parametrize("words", [*EXACT, *LOSSY])
def test_gradient_is_the_slope(words):
    image = torch.rand(1, 1, 6, 5, dtype=torch.float64, requires_grad=True)
    rep = build(words)
    assert torch.autograd.gradcheck(lambda x: rep.encode(x).values, image)


@pytest.mark.parametrize("name", ["k.txt", "k.csv", "k.npy"])
def test_a_file_is_read_once_and_its_numbers_are_the_spec(tmp_path, name):
    matrix = np.array([[0.1, -1, 2], [3, 4e-7, 5]])
    path = tmp_path / name
    if path.suffix == ".npy":
        np.save(path, matrix)
    else:
        np.savetxt(path, matrix, delimiter="," if name == "k.csv" else " ")
    rep = imrep.get("kernel", kernel=str(path))
    np.testing.assert_array_equal(rep.matrix, matrix)
    assert rep.spec == "kernel:kernel=0.1 -1 2; 3 4e-07 5"
    path.unlink()
    assert imrep.get(rep.spec).fingerprint == rep.fingerprint
    np.testing.assert_array_equal(imrep.get("kernel:kernel='0.1,-1,2; 3,4e-7,5'").matrix, matrix)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("gaussian,size=4", "kernel needs size to be odd.* got 4. Use 5"),
        ("box,size=0", "needs size to be odd.* got 0"),
        ("box,size=999", "size from 1 to 255, got 999"),
        ("edge,normalise=true", r"sum is not zero to normalise them, got '-1 -1 -1; -1 8 -1"),
        ("1 2; 3", "rows of one length, got 1 and 2 numbers in '1 2; 3'. Put semicolons"),
        ("1/0 2", "cannot read a matrix from '1/0 2'"),
        ("1-2 3", "cannot read a matrix from '1-2 3'"),
        (";", "rows of one length, got no numbers"),
        ("sharpenn", "kernel needs sharpen, .*, shift, a matrix as .* or a .txt, .*got 'sharpenn'"),
        ("missing.csv", r"got 'missing.csv' \(.*No such file"),
        ("gaussian,sigma=0", r"sigma from 0\.1 to 30, got 0\.0"),
        ("unsharp,alpha=-1", "alpha from 0 to 100, got -1"),
        ("shift,dx=500", "dx from -127 to 127, got 500"),
    ],
)
def test_bad_kernels_are_refused(words, message):
    with pytest.raises(BadParameter, match=message):
        build(words)


def test_a_file_that_holds_no_matrix_is_refused(tmp_path):
    np.save(tmp_path / "cube.npy", np.zeros((2, 2, 2)))
    (tmp_path / "words.txt").write_text("a b c\n")
    np.save(tmp_path / "hole.npy", np.array([[1.0, np.nan]]))
    for name in ("cube.npy", "words.txt", "hole.npy"):
        with pytest.raises(BadParameter, match=r"kernel (needs|cannot read) a matrix"):
            imrep.get("kernel", kernel=str(tmp_path / name))


def test_vectors_hold_means_where_brightness_passes():
    image = photo(batch=1)
    assert build("sharpen").embed(image).shape == (1, 96)
    assert build("edge,cells=2").embed(image).shape == (1, 12)
    brighter = build("edge").embed(0.5 * image + 0.3)
    torch.testing.assert_close(brighter, build("edge").embed(0.5 * image), atol=1e-3, rtol=0)


def test_pictures_are_images_or_signed():
    image = torch.full((1, 1, 64, 64), 0.25)
    image[..., 32:] = 0.75
    sharp = build("sharpen").picture(build("sharpen").encode(image))
    torch.testing.assert_close(sharp[0, :, 9, 9], torch.full((3,), 0.25))
    edges = build("edge").picture(build("edge").encode(image))
    torch.testing.assert_close(edges[0, :, 9, 9], torch.full((3,), 0.5))
    left, right = edges[0, :, 128, 32 * 4 - 2], edges[0, :, 128, 32 * 4 + 2]
    assert left[2] > left[0] and right[0] > right[2]  # blue on the dark side, orange on the light
