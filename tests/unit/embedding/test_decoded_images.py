"""Decoded squares: which files they are of, kept on disk, resumed."""

import numpy as np
import PIL.Image
import pytest

from imrep import datasets, images
from imrep.embedding import decoded_images
from imrep.embedding.decoded_images import decode, digests


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def items(tmp_path):
    """Twenty plain images whose gray level is their number, and broken files at 3 and 19."""
    folder = tmp_path / "data"
    folder.mkdir()
    for i in range(20):
        if i in (3, 19):
            (folder / f"{i:02}.png").write_bytes(b"no image")
        else:
            PIL.Image.new("RGB", (90, 70), (i, i, i)).save(folder / f"{i:02}.png")
    return datasets.find(str(folder)).items


def decoded(items, size=160, progress=lambda step, done, total: None, **reading):
    return decode(
        items,
        digests(items, 1),
        size,
        threads=1,
        reading=images.Reading(**reading),
        progress=progress,
    )


def test_squares_facts_and_digests_are_those_of_the_readable_files(items):
    found = decoded(items)
    assert found.size == 160 and found.squares.shape == (18, 160, 160, 3)
    numbers = [int(item.path[:2]) for item in found.items]
    assert found.squares[:, 80, 80, 0].tolist() == numbers
    assert [facts.width for facts in found.facts] == [90] * 18
    assert max(facts.sharpness for facts in found.facts) < 1e-5
    assert [path for path, _ in found.skipped] == ["03.png", "19.png"]
    assert len(set(found.digests)) == 18 and all(found.digests)


def test_a_second_time_nothing_is_decoded(items, monkeypatch):
    first = decoded(items)
    monkeypatch.setattr(decoded_images.images, "load_squares", lambda *a, **k: pytest.fail("again"))
    again = decoded(items)
    assert again.key == first.key and again.skipped == first.skipped
    assert again.facts == first.facts
    np.testing.assert_array_equal(again.squares, first.squares)


def test_an_interrupted_reading_goes_on_where_it_stopped(items, monkeypatch):
    def interrupt(step, done, total):
        if done >= 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        decoded(items, progress=interrupt)
    counts, load = [], images.load_squares
    monkeypatch.setattr(
        decoded_images.images,
        "load_squares",
        lambda items, *rest, **more: counts.append(len(items)) or load(items, *rest, **more),
    )
    found = decoded(items)
    assert counts == [12]  # the first batch of eight was stored
    numbers = [int(item.path[:2]) for item in found.items]
    assert found.squares[:, 0, 0, 0].tolist() == numbers


def test_the_key_depends_on_content_size_and_reading(items, tmp_path):
    keys = {decoded(items, 32).key, decoded(items, 33).key, decoded(items[:5], 32).key}
    assert len(keys) == 3
    PIL.Image.new("RGB", (90, 70), (200, 0, 0)).save(tmp_path / "data" / "00.png")
    changed = decoded(items, 32)
    assert changed.key not in keys and changed.squares[0, 0, 0, 0] == 200


def test_a_file_that_cannot_be_opened_has_no_digest(items, tmp_path):
    (tmp_path / "data" / "01.png").unlink()
    values = digests(items, 2)
    assert values[1] == "" and all(values[2:]) and values[3] == values[19]
