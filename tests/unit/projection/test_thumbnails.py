"""Sheets of thumbnails: each image in its tile, bounded in number and size."""

import io

import numpy as np
import pytest
from PIL import Image

from imrep import datasets
from imrep.projection import thumbnails


def write(folder, count=5):
    """Images of one colour each, and their paths."""
    folder.mkdir()
    for i in range(count):
        Image.new("RGB", (90, 70), colour(i)).save(folder / f"{i}.png")
    return [f"{i}.png" for i in range(count)]


def colour(i):
    return (5 * i + 20, 240 - 4 * i, 90)


def tile(drawn, i):
    sheet, position = divmod(int(drawn.tiles[i]), thumbnails.COLUMNS**2)
    pixels = np.asarray(Image.open(io.BytesIO(drawn.sheets[sheet])))
    top = drawn.side * (position // thumbnails.COLUMNS)
    left = drawn.side * (position % thumbnails.COLUMNS)
    return pixels[top : top + drawn.side, left : left + drawn.side]


def test_each_image_is_in_its_tile(tmp_path):
    names = write(tmp_path / "photos", 40)
    paths = ["missing.png", *names]
    items = datasets.find(tmp_path / "photos").items
    readable = thumbnails.sources(paths, items, None)
    drawn = thumbnails.draw(readable, paths, max_count=100)
    assert drawn.number == 40 and drawn.tiles[0] == -1 and drawn.side == 64
    for row in (1, 6, 40):
        inside = tile(drawn, row)[8:-8, 8:-8].astype(int)  # colours of JPEG mix at the borders
        assert np.abs(inside - colour(row - 1)).max() < 4


def test_paths_are_looked_for_beside_the_file_of_vectors(tmp_path, monkeypatch):
    names = write(tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    assert len(thumbnails.sources([f"photos/{name}" for name in names], None, None)) == 5
    assert len(thumbnails.sources(names, None, tmp_path / "photos")) == 5
    assert thumbnails.sources(["no.png", "x" * 5000, "a\0b"], None, None) == {}
    assert thumbnails.sources(None, None, tmp_path) == {}


def test_rows_without_paths_are_the_images_in_order(tmp_path):
    write(tmp_path / "photos")
    items = datasets.find(tmp_path / "photos").items
    assert [item.path for item in thumbnails.sources(None, items, None).values()] == [
        item.path for item in items
    ]


def test_a_broken_image_is_named_and_the_others_drawn(tmp_path):
    names = write(tmp_path / "photos")
    (tmp_path / "photos" / "2.png").write_bytes(b"\x89PNG no more")
    readable = thumbnails.sources(names, None, tmp_path / "photos")
    drawn = thumbnails.draw(readable, names, max_count=10)
    assert drawn.number == 4 and drawn.tiles[2] == -1
    assert [path for path, _ in drawn.skipped] == ["2.png"]


def test_a_sample_is_drawn_where_there_are_more(tmp_path):
    names = write(tmp_path / "photos")
    readable = thumbnails.sources(names, None, tmp_path / "photos")
    first = thumbnails.draw(readable, names, max_count=3, seed=1)
    assert first.number == 3 and sorted(first.tiles[first.tiles >= 0]) == [0, 1, 2]
    assert np.array_equal(first.tiles, thumbnails.draw(readable, names, max_count=3, seed=1).tiles)


def test_none_are_none():
    assert thumbnails.none(3).number == 0 and thumbnails.draw({}, ["a"], max_count=5).sheets == ()


def test_noise_is_compressed_until_it_fits(monkeypatch):
    noise = list(np.random.default_rng(0).integers(0, 256, (40, 48, 48, 3), np.uint8))
    fine = sum(map(len, thumbnails._sheets(noise, 48)))
    monkeypatch.setattr(thumbnails, "_MAX_BYTES", fine // 2)
    assert sum(map(len, thumbnails._sheets(noise, 48))) <= fine // 2


@pytest.mark.parametrize("count", [1, 32, 33])
def test_a_sheet_is_as_high_as_its_rows(count):
    (sheet,) = thumbnails._sheets([np.zeros((8, 8, 3), np.uint8)] * count, 8)
    assert Image.open(io.BytesIO(sheet)).size == (32 * 8, 8 * -(-count // 32))
