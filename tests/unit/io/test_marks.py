"""Marks: every format carries one, its pixels and its other words stay as they were."""

import io
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from imrep import images
from imrep.codec import packed
from imrep.edit.operations.compress import compress
from imrep.images import BY_BITS, Original
from imrep.io.marks import mark, marked


def coded(kind):
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (9, 13, 3)).astype(np.uint8))
    exif, file = Image.Exif(), io.BytesIO()
    exif[271] = "ACME"
    picture.save(file, kind, exif=exif.tobytes(), icc_profile=b"p" * 301)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_every_format_carries_a_mark(kind):
    data = coded(kind)
    assert mark(data) == ""
    made = marked(data, "edit 0123456789abcdef")
    assert mark(made) == "edit 0123456789abcdef"
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(made)) as after:
        np.testing.assert_array_equal(np.asarray(after), np.asarray(before))
        assert after.getexif()[271] == "ACME" == before.getexif()[271]
        assert after.info["icc_profile"] == b"p" * 301


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
@pytest.mark.parametrize("bits", [8, 16])
def test_saved_pictures_carry_one(tmp_path, suffix, bits):
    picture = Original(torch.rand(1, 3, 8, 9), samples=BY_BITS[bits])
    images.save(tmp_path / f"a{suffix}", picture, mark="edit odd")
    images.save(tmp_path / f"b{suffix}", picture)
    assert mark((tmp_path / f"a{suffix}").read_bytes()) == "edit odd"
    assert mark((tmp_path / f"b{suffix}").read_bytes()) == ""
    one, other = (images.read(tmp_path / f"{name}{suffix}") for name in "ab")
    assert torch.equal(one, other)


def test_a_packed_picture_carries_one(tmp_path):
    small = compress(torch.rand(1, 3, 16, 16))
    packed.write(small, tmp_path / "a.imr", mark="edit abc")
    data = (tmp_path / "a.imr").read_bytes()
    assert mark(data) == "edit abc" and mark(small.data) == ""
    assert zlib.decompressobj(31).decompress(data)[8:9] == b"{"
    assert packed.read(tmp_path / "a.imr").parameters == small.parameters


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_damaged_files_have_none(kind):
    data = marked(coded(kind), "edit x")
    for end in range(4, 60):
        assert "edit x".startswith(mark(data[:end]))
    assert mark(b"text") == "" and marked(b"text", "edit x") == b"text"
