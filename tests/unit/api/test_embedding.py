"""The order of the vectors, and an embedding as an array."""

import numpy as np
import pytest
from PIL import Image

import imrep
from imrep.errors import BadData

GRAYS = {"x.png": 10, "a.png": 20, "b.png": 30, "m.png": 40}


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Flat images in the current folder, and a link to one of them."""
    monkeypatch.chdir(tmp_path)
    for name, gray in GRAYS.items():
        Image.new("RGB", (8, 8), (gray,) * 3).save(name)
    (tmp_path / "link.png").symlink_to("x.png")
    return tmp_path


def grays(data):
    embedding = imrep.embed(data, "pixels:side=1", size=8)
    return list(embedding.paths), (255 * embedding.vectors[:, 0]).round().tolist()


def test_a_list_keeps_its_order(files):
    names = ["m.png", "x.png", "b.png", "a.png"]
    assert grays(names) == (names, [40, 10, 30, 20])
    assert grays([files / name for name in names])[1] == [40, 10, 30, 20]


def test_a_link_to_a_listed_file_keeps_its_place(files):
    for names in (["x.png", "a.png", "link.png"], ["link.png", "m.png", "x.png"]):
        assert grays(names)[0] == names


def test_a_missing_file_has_no_row_and_the_others_keep_their_order(files):
    assert grays(["m.png", "gone.png", "a.png"]) == (["m.png", "a.png"], [40, 20])


def test_paths_with_labels_keep_their_order_too(files):
    names = ["m.png", "x.png", "b.png", "a.png"]
    embedding = imrep.embed((names, [1, 2, 3, 4]), "pixels:side=1", size=8)
    assert (list(embedding.paths), embedding.labels) == (names, tuple("1234"))


def test_the_home_folder_may_be_written_as_a_tilde(files, monkeypatch):
    monkeypatch.setenv("HOME", str(files))
    monkeypatch.setenv("USERPROFILE", str(files))
    assert grays(["~/x.png", "~/a.png"])[1] == [10, 20]


def test_a_file_listed_twice_has_one_row_where_the_data_set_allows_it(files):
    assert grays(["x.png", "a.png", "x.png"])[1] in ([10, 20], [20, 10])
    with pytest.raises(BadData, match="needs every picture once"):
        grays((["x.png", "x.png"], ["p", "q"]))


def test_a_folder_is_sorted(files):
    assert grays(".")[0] == sorted([*GRAYS, "link.png"])
    assert grays(["."])[0] == sorted([*GRAYS, "link.png"])


def test_an_embedding_is_its_vectors(files):
    embedding = imrep.embed(["x.png", "a.png"], "pixels:side=1", size=8)
    assert len(embedding) == 2 and np.asarray(embedding) is embedding.vectors
    assert np.array(embedding, copy=True) is not embedding.vectors
    assert np.asarray(embedding, np.float16).dtype == np.float16
    assert repr(embedding) == "Embedding(2 × 3 of pixels:side=1)"
