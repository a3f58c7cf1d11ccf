"""The bytes of a file or a Pillow image, or why there are none."""

import io

import numpy as np
import picture_files as files
import pytest
from PIL import Image

from imrep.errors import BadFile, BadParameter
from imrep.images.decode import file_bytes

PNG = files.saved(Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4)))


def test_bytes_and_paths(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    assert file_bytes.fetch(PNG) == (PNG, "this file")
    assert file_bytes.fetch(tmp_path / "a.png") == (PNG, "a.png")
    assert file_bytes.fetch(str(tmp_path / "a.png")) == (PNG, "a.png")


def test_links_are_followed(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "link.png").symlink_to("a.png")
    assert file_bytes.fetch(tmp_path / "link.png") == (PNG, "link.png")


def test_empty_files_are_refused_by_name(tmp_path):
    (tmp_path / "a\n.png").write_bytes(b"")
    with pytest.raises(BadFile, match=r"^a\\x0a\.png is empty \(0 bytes\)\. Copy it again\.$"):
        file_bytes.fetch(tmp_path / "a\n.png")
    with pytest.raises(BadFile, match="this file is empty"):
        file_bytes.fetch(b"")


def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "big").open("wb") as file:
        file.truncate(file_bytes._MAX_BYTES + 1)  # sparse
    with pytest.raises(BadFile, match=r"big needs to be under 2 GiB, got 2,147,483,649 bytes"):
        file_bytes.fetch(tmp_path / "big")


@pytest.mark.parametrize("source", [None, 5, ["a"]])
def test_what_is_no_source_is_refused_with_what_is(source):
    with pytest.raises(BadParameter, match="a path, the bytes of a file or a PIL image, got"):
        file_bytes.fetch(source)


def test_an_opened_image_gives_its_file_and_is_decoded_afterwards():
    image = Image.open(io.BytesIO(PNG))
    assert file_bytes.of_pillow(image) == PNG
    assert np.asarray(image)[2, 3] == 11
    assert file_bytes.of_pillow(image) == b""  # its file may be gone


def test_other_images_have_no_file():
    assert file_bytes.of_pillow(Image.new("L", (2, 2))) == b""
    closed = Image.open(io.BytesIO(PNG))
    closed.fp.close()
    assert file_bytes.of_pillow(closed) == b""


def test_a_stream_is_read_from_its_start():
    stream = io.BytesIO(PNG)
    image = Image.open(stream)
    stream.seek(5)
    assert file_bytes.of_pillow(image) == PNG
