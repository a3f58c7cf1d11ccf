"""Images are read by their row, at one size or their own, and unreadable ones are listed."""

import numpy as np
import pytest
import torch
from PIL import Image

from imrep import datasets, images
from imrep.errors import BadData
from imrep.images import Reading
from imrep.training import data


def silent(*_):
    """No progress."""


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(6):
        path = tmp_path / "photos" / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (20 + i, 30, 3), np.uint8)
        Image.fromarray(pixels).save(path)
    (tmp_path / "photos" / "a" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    return tmp_path / "photos"


def collect(folder, size):
    return data.collect(datasets.find(folder), size, Reading(), 1, silent)


def test_squares_are_those_of_embed(folder):
    collected = collect(folder, 16)
    assert collected.classes == ("a", "b") and len(collected) == 6
    assert collected.labels.tolist() == [0, 0, 0, 1, 1, 1]
    for row, item in enumerate(collected.items):
        expected, _ = images.square(folder / item.path, 16)
        assert (collected.pixels.read(row).permute(1, 2, 0).numpy() == expected).all()


def test_files_keep_their_size(folder):
    collected = collect(folder, 0)
    shapes = [tuple(collected.pixels.read(row).shape) for row in range(6)]
    assert shapes == [(3, 20 + i, 30) for i in (0, 2, 4, 1, 3, 5)]
    expected, _ = images.square(folder / collected.items[4].path, None)
    assert (collected.pixels.read(4).permute(1, 2, 0).numpy() == expected).all()


def test_what_cannot_be_read_is_listed(folder):
    ((path, reason),) = collect(folder, 16).skipped
    assert path == "a/broken.jpg" and reason


def test_the_key_is_that_of_the_images(folder):
    key = collect(folder, 16).key
    assert collect(folder, 16).key == key != collect(folder, 24).key
    (folder / "b" / "1.png").unlink()
    assert collect(folder, 16).key != key


def test_nothing_that_can_be_read(tmp_path):
    (tmp_path / "x.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    with pytest.raises(BadData, match="needs images that can be read, got none in"):
        collect(tmp_path, 16)


def test_copies_are_one_group(folder):
    (folder / "b" / "copy.png").write_bytes((folder / "a" / "0.png").read_bytes())
    collected = collect(folder, 16)
    rows = [i for i, item in enumerate(collected.items) if item.path in ("a/0.png", "b/copy.png")]
    assert len(set(collected.groups[rows])) == 1 and collected.duplicates == 2


def test_pixels_are_no_view_of_a_file(folder):
    pixels = collect(folder, 16).pixels
    image = pixels.read(0)
    before = image.clone()
    image += 1
    assert torch.equal(pixels.read(0), before)
