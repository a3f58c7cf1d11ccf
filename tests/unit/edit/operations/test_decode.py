"""Images back from files, of any size."""

import pytest
import torch

from imrep.codec import packed
from imrep.edit.operations.compress import compress
from imrep.edit.operations.decode import decode
from imrep.ops.metrics import psnr


@pytest.mark.parametrize("method", ["dct", "laplacian"])
@pytest.mark.parametrize("size", [(1, 1), (1, 17), (8, 8), (9, 16), (31, 2)])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_is_decoded_to_itself(method, size, channels):
    image = torch.rand(1, channels, *size)
    packed_image = compress(image, method=method, quality=100, chroma="full")
    result = decode(packed.read(packed_image.data))
    assert result.shape == image.shape and result.dtype == torch.float32
    assert psnr(result, image) > 55


@pytest.mark.parametrize("method", ["dct", "laplacian"])
def test_halved_chroma_is_enlarged_in_place(method):
    """Ramps of colour stay where they are: chroma's samples lie between the pixels."""
    y, x = torch.meshgrid(torch.linspace(0, 1, 33), torch.linspace(0, 1, 47), indexing="ij")
    image = torch.stack([x, 0.5 + 0 * x, y])[None]
    result = decode(compress(image, method=method, quality=100))
    torch.testing.assert_close(result[..., 2:-2, 2:-2], image[..., 2:-2, 2:-2], atol=3e-3, rtol=0)


def test_strips_are_no_matter(monkeypatch):
    image = torch.rand(1, 3, 37, 41)
    complete = decode(compress(image))
    for name in ("block_dct._STRIP", "_STRIP", "entropy._RUN"):
        monkeypatch.setattr(f"imrep.codec.{name}", 97)
    assert (
        decode(compress(image)) - complete
    ).abs().max() < 0.05  # a number or two rounds otherwise
    assert psnr(decode(compress(image)), complete) > 60


def test_numbers_beyond_a_byte_and_beyond_black_and_white_do_no_harm():
    edges = (torch.rand(1, 1, 40, 40) > 0.5).float()
    packed_image = compress(edges, quality=100)
    assert len(packed_image.streams["large"]) > 100
    result = decode(packed_image)
    assert result.min() >= 0 and result.max() <= 1
    torch.testing.assert_close(result, edges, atol=0.01, rtol=0)
