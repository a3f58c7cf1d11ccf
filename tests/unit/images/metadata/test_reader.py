"""Metadata out of files that other programs wrote, or damaged."""

import io
import struct
import zlib

import numpy as np
import picture_files as files
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from imrep import images
from imrep.images.metadata import reader
from imrep.io.containers import insert_chunks, insert_segments, with_riff_chunks

GRAY = Image.fromarray(np.full((4, 5), 99, np.uint8))
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/' tiff:Orientation='6'><tiff:Orientation>8</></x>"


def metadata(data):
    return images.original(data).metadata


def png_with(*chunks):
    return insert_chunks(files.saved(GRAY), chunks)


def jpeg_with(*segments):
    return insert_segments(files.saved(GRAY, "JPEG"), segments)


def test_every_text_chunk_of_pillow_is_read():
    info = PngImagePlugin.PngInfo()
    info.add_text("Title", "plain")
    info.add_text("Author", "packed" * 50, zip=True)
    info.add_itxt("Place", "Köln €", lang="de", tkey="Ort")
    info.add_itxt("Long", "€" * 500, zip=True)
    text = dict(metadata(files.saved(GRAY, pnginfo=info)).text)
    assert text == {
        "Title": "plain", "Author": "packed" * 50, "Place": "Köln €", "Long": "€" * 500,
    }  # fmt: skip


def test_a_text_that_inflates_without_end_is_cut():
    bomb = b"Comment\0\0" + zlib.compress(b"A" * (1 << 24))
    key, words = reader._text(b"zTXt", bomb)
    assert key == "Comment" and len(words) == reader._MAX_TEXT


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"zTXt", b"Title\0\0no zlib"),
        (b"iTXt", b"Title\0\1\0\0\0no zlib"),
        (b"iTXt", b"Title"),
        (b"tEXt", b"Title"),
    ],
)
def test_a_damaged_text_is_empty(kind, body):
    assert metadata(png_with((kind, body))).text == (("Title", ""),)


@pytest.mark.parametrize(
    "body", [b"imrep\0edit 0123", b"Raw profile type exif\0\n", b"Raw profile type APP1\0\n"]
)
def test_texts_that_the_encoder_replaces_are_left_out(body):
    assert metadata(png_with((b"tEXt", body), (b"tEXt", b"Title\0kept"))).text == (
        ("Title", "kept"),
    )


def test_chunks_that_depend_on_the_pixels_are_named_and_others_kept():
    data = png_with((b"prVt", b"mine"), (b"prVT", b"of these pixels"), (b"tIME", bytes(7)))
    assert metadata(data).own == ((b"prVt", b"mine"),)
    assert metadata(data).lost == ("the chunk prVT",)


def test_colour_chunks_are_read_apart_the_last_of_each_kind():
    gamma = [(b"gAMA", struct.pack(">I", n)) for n in (100_000, 50_000)]
    source = images.original(png_with(*gamma))
    assert source.encoding == (gamma[1],)
    assert source.metadata.own == ()


@pytest.mark.parametrize("words", ["\niptc\n 4\n38 42\n49 4d\n", "\niptc\n       4\n3842494d"])
def test_iptc_of_imagemagick_is_read(words):
    body = b"Raw profile type iptc\0\0" + zlib.compress(words.encode())
    assert metadata(png_with((b"zTXt", body))).iptc == b"8BIM"


def test_raw_profiles_that_are_no_hexadecimal_are_none():
    body = b"Raw profile type iptc\0\0" + zlib.compress(b"\niptc\n4\nzz")
    assert metadata(png_with((b"zTXt", body))).iptc is None


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_xmp_of_rotated_pixels_says_upright(orientation):
    exif = Image.Exif()
    exif[274] = orientation
    data = files.saved(GRAY, "JPEG", exif=exif.tobytes(), xmp=XMP)
    xmp = metadata(data).xmp
    if orientation == 1:
        assert xmp == XMP
    else:
        assert b"Orientation='1'" in xmp and b"Orientation>1<" in xmp


def test_segments_of_a_jpeg_by_their_kind():
    data = jpeg_with(
        (0xFE, b"one"), (0xFE, b"two"), (0xE5, b"camera"), (0xE1, b"Exif\0\0"),
        (0xEB, b"JP" + bytes(6) + b"jumb c2pa"), (0xEB, b"JP" + bytes(6) + b"jumb c2pa"),
        (0xEE, b"Adobe\0\x64" + bytes(5)),
    )  # fmt: skip
    result = metadata(data)
    assert result.comments == (b"one", b"two")
    assert result.own == ((0xE5, b"camera"),)
    assert result.lost == ("content credentials",)


def test_a_video_behind_the_photograph_is_named():
    data = files.saved(GRAY, "JPEG") + b"\0\0\0\x18ftypmp42" + bytes(50)
    assert "a video" in metadata(data).lost


def test_chunks_of_webp_that_are_unknown_are_kept():
    data = with_riff_chunks(files.saved(GRAY, "WEBP", lossless=True), [(b"mine", b"odd")])
    assert metadata(data).own == ((b"mine", b"odd"),)
    assert metadata(data).coding.quality is None


@pytest.mark.parametrize("iptc", [b"\x1c\x02\x05\0\x03abc", b"\x1c\x02\x05\0\x02ab"])
def test_bare_iptc_of_a_tiff_becomes_a_resource(iptc):
    tags = {262: (3, [1]), 33723: (7, list(iptc))}
    data = files.tiff(np.full((4, 5, 1), 99), 8, tags)
    resource = metadata(data).iptc
    assert resource[:4] == b"8BIM" and len(resource) % 2 == 0
    assert resource[12 : 12 + len(iptc)] == iptc and resource[11] == len(iptc)


@given(st.binary(max_size=60))
def test_damaged_resources_end_the_list(data):
    assert b"8BIM\x04\x0c" not in reader._without_thumbnails(b"8BIM\x04\x0c\0\0\0\0\0\0" + data)


def test_pages_of_a_tiff_are_counted():
    file = io.BytesIO()
    GRAY.save(file, "TIFF", save_all=True, append_images=[GRAY] * 3)
    assert reader.pages(file.getvalue()) == 4
    assert reader.pages(b"II*\0") == 0


def test_a_comment_of_gif_is_bytes():
    assert metadata(files.saved(GRAY, "GIF", comment="größer".encode())).comments == (
        "größer".encode(),
    )
