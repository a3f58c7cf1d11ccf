"""Vectors of a folder, computed once."""

import os

import numpy as np
import pytest
from PIL import Image

import imrep
from imrep import datasets
from imrep.embedding import image_vectors
from imrep.embedding.image_vectors import Settings
from imrep.errors import BadData


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Three images and a broken one."""
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "photos"
    root.mkdir()
    for name, gray in {"a": 10, "b": 100, "c": 200}.items():
        Image.new("RGB", (9, 7), (gray,) * 3).save(root / f"{name}.png")
    (root / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    return root


def embed(root, **more):
    rep = imrep.get("pixels:side=1")
    return image_vectors.embed(rep, datasets.find(root).items, str(root), Settings(size=4), **more)


def test_a_folder_is_read_once_and_what_is_new_is_added(folder):
    first = embed(folder)
    assert (255 * first.vectors[:, 0]).round().tolist() == [10, 100, 200] and first.computed == 4
    assert [path for path, _ in first.skipped] == ["broken.jpg"]
    assert np.allclose(np.linalg.norm(first.unit, axis=1), 1)
    again = embed(folder)
    assert again.computed == 0 and (again.vectors == first.vectors).all()
    assert again.skipped == first.skipped and again.items == first.items
    Image.new("RGB", (9, 7), (50,) * 3).save(folder / "aa.png")
    (folder / "c.png").unlink()
    grown = embed(folder)
    assert grown.computed == 1 and (255 * grown.vectors[:, 0]).round().tolist() == [10, 50, 100]


def test_a_changed_image_is_read_again(folder):
    embed(folder)
    Image.new("RGB", (9, 7), (30,) * 3).save(folder / "a.png")
    os.utime(folder / "a.png", ns=(1, 1))
    changed = embed(folder)
    assert changed.computed == 1 and round(255 * float(changed.vectors[0, 0])) == 30


def test_an_interrupted_run_goes_on(folder, monkeypatch):
    monkeypatch.setattr(image_vectors, "_PART", 2)

    def stop(what, done, total):
        if done > 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed(folder, progress=stop)
    assert embed(folder).computed == 2


def test_nothing_readable_is_refused_with_a_reason(folder):
    for name in "abc":
        (folder / f"{name}.png").unlink()
    with pytest.raises(BadData, match=r"none of the 1 files could be embedded; broken\.jpg: "):
        embed(folder)
