"""Containers: what is put in is found again by this module and by other libraries."""

import io

import numpy as np
import picture_files as files
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imrep.io import containers

IMAGE = Image.fromarray(np.arange(60, dtype=np.uint8).reshape(4, 5, 3))
BODY = st.binary(max_size=40)
KIND = st.sampled_from([b"abCd", b"efGh", b"ijKl"])
CHUNKS = st.lists(st.tuples(KIND, BODY), max_size=4)


def pixels(data):
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


@given(CHUNKS)
def test_chunks_of_png_are_read_in_their_order(chunks):
    before = files.saved(IMAGE)
    data = containers.insert_chunks(before, chunks)
    kinds = [*containers.png_chunks(data)]
    assert kinds[0][0] == b"IHDR" and kinds[-1] == (b"IEND", b"")
    assert kinds[1 : 1 + len(chunks)] == chunks
    assert b"IDAT" not in dict(kinds)
    np.testing.assert_array_equal(pixels(data), pixels(before))  # Pillow checks the checksums


@given(st.lists(st.tuples(st.sampled_from([0xE5, 0xEC, 0xFE]), BODY), max_size=4))
def test_segments_of_jpeg_follow_the_application_segments(segments):
    before = files.saved(IMAGE, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08" + bytes(6))
    data = containers.insert_segments(before, segments)
    all_segments = [(marker, body) for marker, body, _ in containers.jpeg_segments(data)]
    start = 1 + max(i for i, (_, body) in enumerate(all_segments) if body[:4] in (b"JFIF", b"Exif"))
    assert all_segments[start : start + len(segments)] == segments
    np.testing.assert_array_equal(pixels(data), pixels(before))


def test_ends_of_segments_are_offsets_of_the_next():
    data = files.saved(IMAGE, "JPEG", comment=b"words")
    segments = [*containers.jpeg_segments(data)]
    position = 2
    for marker, body, end in segments:
        assert data[position : position + 2] == bytes([0xFF, marker])
        assert data[position + 4 : end] == body
        position = end
    assert data[position : position + 2] == b"\xff\xda"  # the scan


def test_fill_bytes_and_markers_without_length_are_passed():
    data = (
        b"\xff\xd8\xff\xff\xff" + b"\xff\x01" + containers.segment(0xE3, b"body") + b"\xff\xda\0\0"
    )
    assert [segment[:2] for segment in containers.jpeg_segments(data)] == [(0xE3, b"body")]


def test_a_jpeg_without_application_segments_takes_them_first():
    data = b"\xff\xd8" + containers.segment(0xDB, bytes(65)) + b"\xff\xda\0\0"
    inserted = containers.insert_segments(data, [(0xE1, b"new")])
    assert [marker for marker, _, _ in containers.jpeg_segments(inserted)] == [0xE1, 0xDB]


@given(CHUNKS)
def test_chunks_of_webp_are_padded_and_counted(chunks):
    before = files.saved(IMAGE, "WEBP", lossless=True)
    data = containers.with_riff_chunks(before, chunks)
    assert [*containers.riff_chunks(data)][len([*containers.riff_chunks(before)]) :] == chunks
    assert int.from_bytes(data[4:8], "little") == len(data) - 8 and len(data) % 2 == 0
    np.testing.assert_array_equal(pixels(data), pixels(before))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("count", [1, 3])
def test_directories_of_tiff_are_those_of_tifffile(order, big, count):
    import tifffile

    tags = {256: (4, [1]), 257: (4, [1]), 258: (3, [8]), 259: (3, [1]), 262: (3, [1]),
            277: (3, [1]), 278: (4, [1])}  # fmt: skip
    data = files.tiff_of([(tags, [b"\x63"])] * count, order, big)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        offsets = [page.offset for page in file.pages]
    assert [*containers.tiff_directories(data)] == offsets and len(offsets) == count


def test_a_chain_of_directories_that_returns_to_its_start_ends():
    data = b"II*\0\x08\0\0\0" + b"\0\0" + b"\x08\0\0\0"
    assert [*containers.tiff_directories(data)] == [8]


READERS = {
    b"\x89PNG\r\n\x1a\n": containers.png_chunks,
    b"\xff\xd8": containers.jpeg_segments,
    b"RIFF\0\0\0\0WEBP": containers.riff_chunks,
    b"II*\0": containers.tiff_directories,
    b"MM\0+\0\x08\0\0": containers.tiff_directories,
}


@pytest.mark.parametrize("start", READERS)
@given(tail=st.binary(max_size=80))
def test_any_bytes_are_read_to_an_end(start, tail):
    for data in (start + tail, tail, b""):
        assert len([*READERS[start](data)]) <= len(data)


KINDS = dict(zip(("PNG", "JPEG", "WEBP", "TIFF"), READERS.values(), strict=False))


@pytest.mark.parametrize("kind", KINDS)
def test_the_parts_before_a_cut_are_those_of_the_file(kind):
    data = files.saved(IMAGE, kind)
    complete = [*KINDS[kind](data)]
    for cut in range(0, len(data), 7):
        parts = [*KINDS[kind](data[:cut])]
        assert parts[:-1] == complete[: max(0, len(parts) - 1)]  # the last may be cut
