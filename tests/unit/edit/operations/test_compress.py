"""Images in few bytes: what each method promises, beside JPEG, and what is refused."""

import gzip
import io

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image

from imrep import images
from imrep.edit.operations.compress import compress
from imrep.edit.operations.decode import decode
from imrep.errors import BadImage, BadParameter
from imrep.ops.colour import to_ycbcr
from imrep.ops.metrics import psnr

METHODS = ("dct", "laplacian")


def _soft(*size):
    """Noise of all sizes, whose colours are never clipped."""
    coarse = torch.nn.functional.interpolate(torch.rand(1, 3, 4, 5), size=size, mode="bicubic")
    return (0.5 + 0.3 * (coarse - 0.5) + 0.04 * torch.randn(1, 3, *size)).clamp(0.2, 0.8)


@pytest.mark.parametrize(("quality", "step"), [(50, 24), (100, 0.25)])
def test_a_pyramid_is_off_by_at_most_half_a_step(quality, step):
    image = _soft(45, 66)
    packed = compress(image, method="laplacian", quality=quality, chroma="full")
    error = to_ycbcr(decode(packed)) - to_ycbcr(image)
    assert 0.4 * step / 255 < error.abs().max() < 0.501 * step / 255


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("channels", [1, 3])
def test_quality_costs_bits_and_buys_likeness(method, channels):
    image = _soft(50, 61)[:, :channels]
    result = [compress(image, method=method, quality=q) for q in (1, 10, 40, 70, 95)]
    sizes = [packed.bits_per_pixel for packed in result]
    likeness = [psnr(image, decode(packed)) for packed in result]
    assert sizes == sorted(sizes) and sizes[-1] > 2 * sizes[0]
    assert likeness == sorted(likeness) and likeness[0] > 15


def test_dct_is_smaller_than_jpeg_and_the_pyramid_not_much_larger(shared_data):
    image = images.read(shared_data / "denoising" / "kodak_a" / "kodim07.png")
    pixels = (image[0] * 255).byte().permute(1, 2, 0).numpy()
    levels, bits = [], []
    for quality in (40, 60, 75, 85, 92, 96):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=quality)
        levels.append(psnr(image, images.read(file.getvalue())))
        bits.append(8 * len(file.getvalue()) / pixels[..., 0].size)
    for quality in (60, 90):
        for method, limit in (("dct", 1.0), ("laplacian", 2.0)):
            packed = compress(image, method=method, quality=quality)
            as_good = np.exp(np.interp(psnr(image, decode(packed)), levels, np.log(bits)))
            assert packed.bits_per_pixel < limit * as_good


@pytest.mark.parametrize("method", METHODS)
def test_more_than_eight_bits_are_preserved(method):
    ramp = torch.linspace(0.5, 0.51, 512).expand(1, 1, 16, 512)
    off = (decode(compress(ramp, method=method, quality=100)) - ramp).abs().max()
    assert off < 0.35 / 255


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_takes_hardly_a_byte(method):
    image = torch.full((1, 3, 512, 512), 0.3)
    packed = compress(image, method=method)
    assert len(packed.data) < 1000
    torch.testing.assert_close(decode(packed), image, atol=0.02, rtol=0)


def test_halved_chroma_saves_bits():
    image = _soft(64, 64)
    assert len(compress(image).data) < 0.8 * len(compress(image, chroma="full").data)


def test_the_file_is_gzip_around_safetensors_and_the_same_each_time():
    image = torch.rand(1, 3, 20, 30)
    packed = compress(image, quality=60)
    assert packed.bits_per_pixel == 8 * len(packed.data) / 600
    assert packed.data == compress(image.double(), quality=60.0).data
    tensors = safetensors.torch.load(gzip.decompress(packed.data))
    for name, stream in packed.streams.items():
        assert torch.equal(tensors[name], stream)


def test_what_it_cannot_do_is_refused_by_name():
    image = torch.rand(1, 3, 8, 8)
    with pytest.raises(BadParameter, match="compress needs method to be one of dct, laplacian"):
        compress(image, method="jpeg")
    with pytest.raises(BadParameter, match="compress needs chroma to be one of half, full"):
        compress(image, chroma="quarter")
    for quality in (0, 101, float("nan")):
        with pytest.raises(BadParameter, match="compress needs quality from 1 to 100"):
            compress(image, quality=quality)
    with pytest.raises(BadImage, match="compress needs one image, got 2"):
        compress(torch.rand(2, 3, 8, 8))
