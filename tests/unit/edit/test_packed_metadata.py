"""Metadata of packed files: written and restored, and never trusted."""

import pytest
import torch

import imrep
from imrep.edit import packed_metadata
from imrep.errors import BadFile
from imrep.images import UINT16, Metadata, Original, Samples
from imrep.testing import photo


@pytest.fixture
def original():
    image = photo(batch=1)
    alpha = torch.rand(1, 1, *image.shape[2:]).mul(65535).round() / 65535
    metadata = Metadata(text=(("Title", "ü"),), comments=(b"\xff",))
    return Original(image, alpha, UINT16, dpi=(300.0, 150.0), metadata=metadata)


def test_metadata_comes_back(original):
    packed = packed_metadata.with_metadata(imrep.pack(original.pixels), original)
    restored = packed_metadata.restored(packed, original.pixels)
    assert restored.samples == UINT16 and restored.dpi == (300.0, 150.0)
    assert restored.metadata.text == original.metadata.text
    assert restored.metadata.comments == original.metadata.comments
    torch.testing.assert_close(restored.alpha, original.alpha)


def test_units_come_back(original):
    samples = Samples("float32", -12.5, 3000.0, True)
    packed = packed_metadata.with_metadata(
        imrep.pack(original.pixels), Original(original.pixels, samples=samples)
    )
    assert packed_metadata.restored(packed, original.pixels).samples == samples


def test_files_of_earlier_versions_state_bits(original):
    packed = imrep.pack(original.pixels).adding({"bits": "16"}, {})
    assert packed_metadata.restored(packed, original.pixels).samples == UINT16


@pytest.mark.parametrize(
    "extra",
    [
        {"samples": "many"},
        {"samples": "uint8 0 inf 1"},
        {"samples": "uint8 1 1 1"},
        {"samples": "object 0 1 1"},
        {"words": "[]"},
        {"encoding": "1"},
        {"dpi": "much more"},
        {"xmp": "not base64!"},
    ],
)
def test_malformed_metadata_is_refused(original, extra):
    packed = imrep.pack(original.pixels).adding(extra, {})
    with pytest.raises(BadFile, match="needs valid metadata"):
        packed_metadata.restored(packed, original.pixels)


def test_alpha_of_another_size_is_refused(original):
    packed = imrep.pack(original.pixels).adding({}, {"alpha": torch.zeros(3, 5, dtype=torch.uint8)})
    with pytest.raises(BadFile, match="needs alpha of"):
        packed_metadata.restored(packed, original.pixels)
