"""What an encoder writes the reader reads back, and other libraries as well."""

import io
import struct

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from imrep import images
from imrep.images import BY_BITS, Metadata, Original
from imrep.images.encode import encoders, save_plan
from imrep.images.metadata.fields import Coding
from imrep.images.sample_types import Samples
from imrep.io.containers import jpeg_segments, png_chunks

RNG = np.random.default_rng(0)
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
# A resource of Photoshop's (IPTC) of odd length, and a thumbnail of the old pixels.
IPTC = b"8BIM\x04\x04\0\0\0\0\0\x05abcde\0"
THUMBNAIL = b"8BIM\x04\x0c\0\0\0\0\0\x02zz"
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
KEYS = st.text([*map(chr, range(33, 127)), *map(chr, range(174, 256))], min_size=1, max_size=20)


def written(tmp_path, suffix, metadata=None, *, channels=3, bits=8, **fields):
    """The bytes of a file and the image read back from them."""
    pixels = torch.from_numpy(RNG.random((1, channels, 9, 14), np.float32))
    picture = Original(pixels, samples=BY_BITS[bits], metadata=metadata or Metadata(), **fields)
    planned = save_plan.plan(picture, tmp_path / f"a{suffix}", "save")
    data = save_plan.encoded(planned)
    return data, images.original(data), planned


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_an_xmp_packet_comes_back(tmp_path, suffix):
    _, again, planned = written(tmp_path, suffix, Metadata(xmp=XMP))
    assert again.metadata.xmp == XMP
    assert planned.lost == () and planned.carried == ("XMP",)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_iptc_comes_back_without_thumbnails(tmp_path, suffix):
    _, again, _ = written(tmp_path, suffix, Metadata(iptc=IPTC + THUMBNAIL + IPTC))
    if suffix == ".png":
        assert again.metadata.iptc == IPTC + THUMBNAIL + IPTC
    else:
        assert again.metadata.iptc == IPTC * 2


def test_iptc_of_several_segments_comes_back_from_a_jpeg(tmp_path):
    long = b"8BIM\x04\x04\0\0" + struct.pack(">I", 150_000) + bytes(range(250)) * 600
    data, again, _ = written(tmp_path, ".jpg", Metadata(iptc=long))
    assert sum(marker == 0xED for marker, _, _ in jpeg_segments(data)) == 3
    assert again.metadata.iptc == long


@settings(max_examples=30)
@given(st.dictionaries(KEYS, TEXT, max_size=3))
def test_texts_of_png_come_back_in_any_alphabet(texts):
    texts = tuple((key, text) for key, text in texts.items() if not key.startswith(("Raw", "XML")))
    picture = Original(torch.rand(1, 1, 2, 2), metadata=Metadata(text=texts))
    data = encoders.WRITERS["PNG"](np.zeros((2, 2, 1), np.uint8), picture)
    assert images.original(data).metadata.text == texts
    kinds = [kind for kind, _ in png_chunks(data) if kind in (b"tEXt", b"iTXt")]
    latin = [b"tEXt" if all(ord(c) < 256 for c in text) else b"iTXt" for _, text in texts]
    assert kinds == latin


@pytest.mark.parametrize(("suffix", "lost"), [(".jpg", ()), (".tif", ()), (".webp", ("Comment",))])
def test_a_comment_of_png_goes_into_other_formats_that_have_one(tmp_path, suffix, lost):
    metadata = Metadata(format="PNG", text=(("Comment", "größer"), ("Author", "me")))
    data, again, planned = written(tmp_path, suffix, metadata)
    assert planned.lost == (f"text ({', '.join([*lost, 'Author'])})",)
    if suffix == ".jpg":
        assert again.metadata.comments == ("größer".encode(),)
    if suffix == ".tif":
        with Image.open(io.BytesIO(data)) as image:
            assert image.tag_v2[270].encode("latin-1").decode() == "größer"


def test_comments_of_jpeg_become_texts_of_png(tmp_path):
    _, again, _ = written(tmp_path, ".png", Metadata(comments=(b"one", "zwei€".encode())))
    assert again.metadata.text == (("Comment", "one"), ("Comment", "zwei€"))


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_keeps_its_tables_and_subsampling(tmp_path, subsampling, progressive):
    file = io.BytesIO()
    colours = Image.fromarray(RNG.integers(0, 256, (32, 48, 3)).astype(np.uint8))
    colours.save(file, "JPEG", quality=61, subsampling=subsampling, progressive=progressive)
    before = images.original(file.getvalue())
    images.save(tmp_path / "b.jpg", before)
    coding = images.original(tmp_path / "b.jpg").metadata.coding
    assert coding == before.metadata.coding
    assert (coding.subsampling, coding.progressive) == (subsampling, progressive)
    assert (coding.tables[0][0], len(coding.tables), len(coding.tables[0])) == (12, 2, 64)


def test_a_jpeg_of_red_green_and_blue_stays_one(tmp_path):
    data = written(tmp_path, ".jpg", Metadata(coding=Coding(tables=((1,) * 64,), rgb=True)))[0]
    with Image.open(io.BytesIO(data)) as image:
        assert image.info["adobe_transform"] == 0
    assert images.original(data).metadata.coding.rgb


@pytest.mark.parametrize("order", [b"II", b"MM"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_new_thumbnail_shows_the_new_pixels(order, channels):
    exif = Image.Exif()
    exif.endian = "<" if order == b"II" else ">"
    exif[271], exif[274] = "ACME", 1
    values = np.full((60, 90, channels), 200, np.uint8)
    data = encoders._with_thumbnail(exif.tobytes(), values)
    again = Image.Exif()
    again.load(data)
    directory = again.get_ifd(ExifTags.IFD.IFD1)
    start, size = directory[513], directory[514]
    with Image.open(io.BytesIO(data[6:][start : start + size])) as thumbnail:
        assert thumbnail.size == (90, 60) and abs(np.asarray(thumbnail).mean() - 200) < 2
    assert again[271] == "ACME"


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_resolution_comes_back(tmp_path, suffix):
    data, again, _ = written(tmp_path, suffix, dpi=(300, 72))
    assert again.dpi == pytest.approx((300, 72), abs=0.02)
    if suffix != ".webp":
        with Image.open(io.BytesIO(data)) as image:
            assert [float(n) for n in image.info["dpi"]] == pytest.approx([300, 72], abs=0.02)


@given(st.floats(-2, 3), st.sampled_from([8, 16]))
def test_numbers_are_rounded_and_stop_at_black_and_white(value, bits):
    white = 2**bits - 1
    number = encoders.numbers(torch.full((1, 1), value), BY_BITS[bits])
    assert number.dtype == f"uint{bits}"
    assert abs(int(number[0, 0]) - min(max(value, 0), 1) * white) <= 0.501


def test_numbers_of_other_types_go_by_their_own_scale():
    samples = Samples("int16", -100.0, 100.0)
    assert encoders.numbers(torch.tensor([[0.0, 0.5, 1.0]]), samples).tolist() == [[-100, 0, 100]]
