"""The Laplacian pyramid: exact for any size and kernel, equal to OpenCV's steps."""

import dataclasses

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import imrep
from imrep import _native
from imrep.codes import Pyramid
from imrep.errors import BadCode, BadImage, BadParameter
from imrep.testing import photo

SIDES = st.integers(1, 40)


@settings(max_examples=30)
@given(SIDES, st.integers(2, 40), st.floats(0.01, 0.99))
def test_inverse_is_exact_for_any_size_and_kernel(height, width, a):
    levels = int(np.ceil(np.log2(max(height, width))))
    laplacian = imrep.get("laplacian", levels=levels, a=a)
    image = photo(height, width, batch=1).double()
    torch.testing.assert_close(laplacian.invert(laplacian.encode(image)), image, rtol=0, atol=1e-14)


@pytest.mark.parametrize("levels", [1, 4, 7])
def test_float32_inverse_is_exact_to_rounding(levels):
    laplacian = imrep.get("laplacian", levels=levels)
    image = photo(101, 67)
    torch.testing.assert_close(laplacian.invert(laplacian.encode(image)), image, rtol=0, atol=3e-7)


def test_stored_as_float16_it_is_nearly_exact():
    laplacian = imrep.get("laplacian", levels=6)
    image = photo(101, 67)
    code = laplacian.encode(image).map(torch.Tensor.half)
    assert {t.dtype for t in code.tensors().values()} == {torch.float16}
    again = laplacian.invert(code.map(torch.Tensor.float))
    torch.testing.assert_close(again, image, rtol=0, atol=4e-4)
    with pytest.raises(BadCode, match=r"float32 or float64 in bands\[0\], got torch.float16"):
        laplacian.invert(code)


@pytest.mark.parametrize("size", [(1, 4), (4, 1), (2, 2), (3, 2), (2, 5), (9, 16), (33, 64)])
def test_one_level_equals_opencv(size):
    image = photo(*size, batch=1, channels=1).double()
    code = imrep.get("laplacian", levels=1).encode(image)
    array = image[0, 0].numpy()
    smaller = cv2.pyrDown(array)
    enlarged = cv2.pyrUp(smaller, dstsize=(size[1], size[0]))
    np.testing.assert_allclose(code.rest[0, 0], smaller.reshape(code.rest.shape[2:]), atol=1e-15)
    lost = array - enlarged.reshape(size)
    np.testing.assert_allclose(code.bands[0][0, 0], lost, atol=1e-15)


def test_equals_the_reference(references):
    stored = references("pyramid")
    image = torch.from_numpy(stored["x_f32"]).permute(2, 0, 1)[None]
    code = imrep.get("laplacian", levels=1).encode(image)
    rest, band = (t[0].permute(1, 2, 0).numpy() for t in (code.rest, code.bands[0]))
    np.testing.assert_allclose(rest, stored["down_f32"], atol=1e-6)
    np.testing.assert_allclose(stored["x_f32"] - band, stored["up_f32"], atol=1e-6)


@pytest.mark.skipif(not _native.built("kernels"), reason="no compiler at install")
@pytest.mark.parametrize("a", [0.375, 0.6])
def test_the_same_code_and_vector_with_and_without_kernels(a):
    laplacian = imrep.get("laplacian", a=a)
    image = photo(53, 80)
    native, vector = laplacian.encode(image), laplacian.embed(image)
    with _native.switched_off():
        plain = laplacian.encode(image)
        torch.testing.assert_close(vector, laplacian.embed(image), rtol=0, atol=1e-6)
    for key, tensor in native.tensors().items():
        torch.testing.assert_close(tensor, plain.tensors()[key], rtol=0, atol=1e-7)


def test_a_constant_has_empty_bands():
    code = imrep.get("laplacian").encode(torch.full((1, 3, 37, 50), 0.7, dtype=torch.float64))
    assert max(float(band.abs().max()) for band in code.bands) < 1e-15
    torch.testing.assert_close(code.rest, torch.full_like(code.rest, 0.7))


def test_linear_and_its_gradient_is_the_adjoint():
    laplacian = imrep.get("laplacian", levels=2)
    x, y = photo(12, 9).double()
    together = laplacian.encode((2 * x - y)[None])
    apart = laplacian.encode(x[None]), laplacian.encode(y[None])
    for key, tensor in together.tensors().items():
        expected = 2 * apart[0].tensors()[key] - apart[1].tensors()[key]
        torch.testing.assert_close(tensor, expected)
    image = photo(5, 6, batch=1, channels=1).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: tuple(laplacian.encode(x).tensors().values()), image)


def test_the_inverse_has_a_gradient():
    laplacian = imrep.get("laplacian", levels=2, a=0.4)
    code = laplacian.encode(photo(5, 6, batch=1, channels=1).double())
    parts = [t.requires_grad_() for t in code.tensors().values()]
    assert torch.autograd.gradcheck(
        lambda *bands: laplacian.invert(Pyramid(bands[:-1], bands[-1])), parts
    )


def test_any_number_of_levels_is_inverted():
    image = photo(40, 30)
    code = imrep.get("laplacian", levels=2).encode(image)
    torch.testing.assert_close(imrep.get("laplacian", levels=5).invert(code), image)


def test_vector_is_roots_of_bands_and_means_of_the_rest():
    laplacian = imrep.get("laplacian", levels=2, cells=1)
    image = photo(16, 16, batch=1)
    code = laplacian.encode(image)
    vector = laplacian.embed(image)[0]
    assert vector.shape == (9,)
    torch.testing.assert_close(vector[3] ** 4, code.bands[1][0, 0].abs().mean(), rtol=1e-3, atol=0)
    torch.testing.assert_close(vector[6:], code.rest[0].mean((1, 2)))


def test_golden_vector():
    """Numbers of the first release: stores that hold them must not grow stale unseen."""
    x = torch.linspace(0, 1, 12 * 10, dtype=torch.float64).reshape(1, 1, 12, 10)
    image = 0.5 + 0.5 * torch.sin(40 * x * x)
    vector = imrep.get("laplacian", levels=2, cells=1).embed(image)[0, ::3]
    expected = torch.tensor([0.699649, 0.558652, 0.580091], dtype=torch.float64)
    torch.testing.assert_close(vector, expected, rtol=0, atol=2e-6)


def test_picture_shows_bands_in_both_signs_and_the_rest_in_colour():
    laplacian = imrep.get("laplacian", levels=2)
    image = photo(256, 256, batch=1)
    image[:, 0] = 1.0  # red
    drawn = laplacian.picture(laplacian.encode(image))
    assert drawn.shape[2:] == (257, 385)
    finest, rest = drawn[0, :, :256, :256], drawn[0, :, 140:250, 265:375]
    assert (finest[0] > finest[2] + 0.2).any() and (finest[2] > finest[0] + 0.2).any()
    assert rest[0].mean() > 0.99 > rest[1].mean()
    flat = laplacian.picture(laplacian.encode(torch.full((1, 3, 16, 16), 0.5)))
    assert flat[0, :, :100, :100].std() == 0  # gray means zero


@pytest.mark.parametrize(
    ("size", "message"),
    [((8, 5), "at least 9 at levels=4, got 8×5. Use levels=3"), ((1, 1), "Enlarge them first")],
)
def test_too_small_an_image_is_refused(size, message):
    with pytest.raises(BadImage, match=message):
        imrep.get("laplacian").embed(photo(*size))


@pytest.mark.parametrize(
    ("key", "value"),
    [("levels", 0), ("cells", 0), ("a", 1.5), ("a", 0.0), ("a", 1.0), ("a", float("nan"))],
)
def test_bad_parameters_are_refused(key, value):
    with pytest.raises(BadParameter, match=f"laplacian needs {key} .*, got {value}"):
        imrep.get("laplacian", **{key: value})


def _changed(code, **fields):
    return dataclasses.replace(code, **fields)


@pytest.mark.no_shapes
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: _changed(c, rest=c.rest[..., :-1]), "half of the one before, got 5×3 after 9×8"),
        (lambda c: _changed(c, bands=c.bands[:1]), "half of the one before, got 5×4 after 17×16"),
        (lambda c: _changed(c, bands=c.bands[::-1]), "half of the one before"),
        (lambda c: _changed(c, rest=c.rest[:1]), r"rest with batch of 2 like the others, got 1"),
        (
            lambda c: _changed(c, rest=c.rest[:, :1]),
            r"rest with channel of 3 like the others, got 1",
        ),
        (lambda c: _changed(c, rest=c.rest.double()), "bands of torch.float64 .* got torch.float3"),
        (lambda c: _changed(c, rest=c.rest.to("meta")), "bands on meta like the rest, got cpu"),
        (lambda c: c.map(lambda t: t.byte()), "float32 or float64 .*, got torch.uint8"),
        (lambda c: _changed(c, rest=c.rest + torch.nan), "finite .* try code.map"),
        (lambda c: c.map(lambda t: t / (t > t.mean())), "finite"),
    ],
)
def test_codes_that_do_not_fit_are_refused(change, message):
    laplacian = imrep.get("laplacian", levels=2)
    code = laplacian.encode(photo(17, 16))
    with pytest.raises(BadCode, match=f"laplacian needs .*{message}"):
        laplacian.invert(change(code))
