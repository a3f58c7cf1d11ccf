"""The Laplacian pyramid: exact for any size and kernel, equal to OpenCV's steps."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import imrep
from imrep.errors import BadImage, BadParameter
from imrep.testing import photo


def sizes():
    return st.integers(1, 40)


@settings(max_examples=30, deadline=None)
@given(sizes(), st.integers(2, 40), st.floats(0.05, 0.95))
def test_inverse_is_exact_for_any_size_and_kernel(height, width, a):
    levels = int(np.ceil(np.log2(max(height, width))))
    laplacian = imrep.get("laplacian", levels=levels, a=a)
    image = photo(height, width, batch=1).double()
    torch.testing.assert_close(laplacian.invert(laplacian.encode(image)), image, rtol=0, atol=1e-14)


def test_float32_inverse_is_exact_to_rounding():
    laplacian = imrep.get("laplacian")
    image = photo(101, 67)
    torch.testing.assert_close(laplacian.invert(laplacian.encode(image)), image, rtol=0, atol=3e-7)


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


def test_equals_the_reference(refs):
    stored = np.load(refs / "classic" / "a1_cv2_pyr.npz")
    image = torch.from_numpy(stored["x_f32"]).permute(2, 0, 1)[None]
    code = imrep.get("laplacian", levels=1).encode(image)
    rest, band = (t[0].permute(1, 2, 0).numpy() for t in (code.rest, code.bands[0]))
    np.testing.assert_allclose(rest, stored["down_f32"], atol=1e-6)
    np.testing.assert_allclose(stored["x_f32"] - band, stored["up_f32"], atol=1e-6)


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


def test_vector_is_roots_of_bands_and_means_of_the_rest():
    laplacian = imrep.get("laplacian", levels=2, cells=1)
    image = photo(16, 16, batch=1)
    code = laplacian.encode(image)
    vector = laplacian.embed(image)[0]
    assert vector.shape == (9,)
    torch.testing.assert_close(vector[3] ** 4, code.bands[1][0, 0].abs().mean(), rtol=1e-3, atol=0)
    torch.testing.assert_close(vector[6:], code.rest[0].mean((1, 2)))


@pytest.mark.parametrize(
    ("size", "message"),
    [((8, 5), "at least 9 at levels=4, got 8×5. Use levels=3"), ((1, 1), "Enlarge them first")],
)
def test_too_small_an_image_is_refused(size, message):
    with pytest.raises(BadImage, match=message):
        imrep.get("laplacian").embed(photo(*size))


@pytest.mark.parametrize(("key", "value"), [("levels", 0), ("a", 1.5), ("cells", 0)])
def test_bad_parameters_are_refused(key, value):
    with pytest.raises(BadParameter, match=f"laplacian needs {key}"):
        imrep.get("laplacian", **{key: value})
