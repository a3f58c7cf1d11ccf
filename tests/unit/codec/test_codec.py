"""Packing an image and unpacking it: parameters, sizes, and what is refused."""

import pytest
import torch

import imrep
from imrep.codec import CodingParameters
from imrep.errors import BadFile, BadImage, BadParameter
from imrep.ops.metrics import psnr
from imrep.testing import photo


@pytest.mark.parametrize("method", ["dct", "laplacian"])
@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_comes_back_from_its_file(method, channels, tmp_path):
    image = photo(batch=1)[:, :channels]
    packed = imrep.pack(image, method=method, quality=95, chroma="full")
    path = tmp_path / "a.imr"
    path.write_bytes(packed.data)
    for source in (packed, packed.data, path, str(path)):
        again = imrep.unpack(source)
        assert again.shape == image.shape and again.dtype == torch.float32
        assert psnr(again, image) > 35


def test_packing_is_the_operation_compress():
    image = photo(batch=1)
    assert imrep.pack(image, quality=40).data == imrep.edit.compress(image, quality=40).data


def test_gradients_and_double_precision_are_left_behind():
    image = photo(batch=1).double().requires_grad_()
    assert not imrep.unpack(imrep.pack(image)).requires_grad


@pytest.mark.parametrize(("quality", "scale"), [(1, 50), (25, 2), (50, 1), (75, 0.5), (100, 0)])
def test_quality_scales_steps_as_the_ijg_library_does(quality, scale):
    parameters = CodingParameters("dct", quality, "half", 3, (8, 8))
    assert parameters.step_scale == pytest.approx(scale)


def test_halved_chroma_is_rounded_up():
    parameters = CodingParameters("dct", 50, "half", 3, (9, 16))
    assert parameters.plane_sizes == [(9, 16), (5, 8), (5, 8)]
    assert parameters.coarse_sizes == [(2, 2), (1, 1), (1, 1)]
    assert parameters.detail_counts == [63 * 4, 63, 63]


def test_what_cannot_be_packed_is_refused_by_name(tmp_path):
    image = photo(batch=1)
    with pytest.raises(BadImage, match="pack needs one image, got 2"):
        imrep.pack(image.expand(2, -1, -1, -1))
    with pytest.raises(BadParameter, match="pack needs quality from 1 to 100, got 0"):
        imrep.pack(image, quality=0)
    with pytest.raises(BadParameter, match="pack needs method"):
        imrep.pack(image, method="jpeg")
    with pytest.raises(BadParameter, match="pack needs chroma"):
        imrep.pack(image, chroma="quarter")
    with pytest.raises(BadFile, match="cannot be read"):
        imrep.unpack(tmp_path / "none.imr")
