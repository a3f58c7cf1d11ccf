"""Sets that no comparison can answer: one sentence with the way out, by the installed command."""

import csv
import json

import numpy as np
import PIL.Image
import pytest

RNG_SEED = 0
TINY = ["--size", "16", "--json"]


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return {"IMREP_CACHE": str(tmp_path_factory.mktemp("cache"))}


@pytest.fixture
def compared(imrep, cache, tmp_path):
    """The verdict and the table of a run that ends well."""

    def compared(data, *words):
        done = imrep("compare", data, *words, *TINY, "-o", tmp_path / "out", **cache)
        assert (tmp_path / "out" / "index.html").stat().st_size > 10_000
        return json.loads(done.stdout)

    return compared


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path)


def random_image(rng):
    return rng.normal(128, 50, (24, 24, 3))


def plain(rng):
    return np.full((24, 24, 3), 1.0) * rng.integers(20, 230, 3)


def test_vectors_that_are_all_equal_are_named_and_the_others_compared(compared, tmp_path):
    """Plain images have no edges; their colours differ."""
    rng = np.random.default_rng(RNG_SEED)
    for i in range(80):
        save(tmp_path / "data" / "ab"[i % 2] / f"{i:02}.png", plain(rng))
    found = compared(tmp_path / "data", "-r", "edge", "-r", "histogram", "-r", "pixels:side=2")
    [warning] = [w["text"] for w in found["verdict"]["warnings"] if w["id"] == "constant"]
    assert warning == (
        "Warning: edge gives the same vector for every image, which tells none of them apart. "
        "Leave it out."
    )
    scores = {line["spec"]: line["accuracy"] for line in found["table"]}
    assert scores["edge"] == 0.5 and len(scores) == 3


def test_all_images_equal(compared, tmp_path):
    for i in range(20):
        save(tmp_path / "data" / "ab"[i % 2] / f"{i:02}.png", np.full((24, 24, 3), 90))
    found = compared(tmp_path / "data", "-r", "edge", "-r", "histogram")
    assert found["verdict"]["sentence"] == "nothing" and found["pick"] == ""
    notes = " ".join(note["text"] for note in found["verdict"]["notes"])
    assert "All 10 images of a are joined as near-duplicates" in notes
    assert "edge and histogram give the same vector" in found["verdict"]["warnings"][0]["text"]


def test_every_class_of_one_image(compared, tmp_path):
    rng = np.random.default_rng(RNG_SEED)
    for i in range(12):
        save(tmp_path / "data" / f"c{i:02}" / "x.png", random_image(rng))
    verdict = compared(tmp_path / "data", "-r", "hog", "-r", "histogram")["verdict"]
    assert verdict["text"] == (
        "**Nothing can be tested**: no two classes have two images (or groups) each; add images "
        "to them."
    )
    notes = {note["id"]: note["text"] for note in verdict["notes"]}
    assert notes["single"].startswith("12 classes with one image (or one group) were left out")


def test_more_classes_than_the_images_can_show(compared, tmp_path):
    """Two images a class: a number for each, and no verdict."""
    rng = np.random.default_rng(RNG_SEED)
    for i in range(40):
        save(tmp_path / "data" / f"c{i % 20:02}" / f"{i}.png", random_image(rng))
    found = compared(tmp_path / "data", "-r", "hog", "-r", "histogram", "--max-images", 10)
    assert found["pick"] == ""
    text = found["verdict"]["text"]
    assert text.startswith("**Too few images to decide** (40; smallest class 2).")
    assert "images a class would show a gap of 10 points" in text


def test_labels_of_one_value(compared, tmp_path):
    rng = np.random.default_rng(RNG_SEED)
    for i in range(12):
        save(tmp_path / "data" / "disc" / f"{i:02}.png", random_image(rng))
    verdict = compared(tmp_path / "data", "-r", "hog", "-r", "histogram")["verdict"]
    assert verdict["text"] == (
        "**Nothing can be tested**: there is one class only, disc, with 12 images; give every "
        "class a folder of its own."
    )


def test_a_pixel_that_is_no_number_spoils_no_score(compared, tmp_path):
    rng = np.random.default_rng(RNG_SEED)
    for i in range(20):
        path = tmp_path / "data" / "ab"[i % 2] / f"{i:02}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.random((24, 24)).astype(np.float32)
        pixels[0, 0] = np.nan if i == 3 else 0
        PIL.Image.fromarray(pixels).save(path)
    found = compared(tmp_path / "data", "-r", "hog", "--data-range", "0,1")
    assert np.isfinite([line["accuracy"] for line in found["table"]]).all()


@pytest.mark.parametrize("named_by_class", [True, False])
def test_neither_the_order_of_files_nor_their_names_tell_the_class(
    compared, tmp_path, named_by_class
):
    """Labels at random; of 400 images 80 are plain, so that edge has 80 equal vectors."""
    rng = np.random.default_rng(RNG_SEED)
    labels = rng.permutation(np.repeat(["a", "b"], 200))
    order = np.argsort(labels, kind="stable") if named_by_class else np.arange(400)
    lines = []
    for position, i in enumerate(order):
        image = plain(rng) if i % 5 == 0 else random_image(rng)
        label = f"_{labels[i]}" if named_by_class else ""
        name = f"{position:03}{label}.png"
        save(tmp_path / "data" / name, image)
        lines.append((name, labels[i]))
    with (tmp_path / "data" / "split.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label"), *lines])
    found = compared(tmp_path / "data", "-r", "edge", "-r", "histogram")
    assert found["verdict"]["sentence"] == "none", found["verdict"]["text"]
    for line in found["table"]:
        assert line["lo"] < 0.5 < line["hi"] and abs(line["knn"] - 0.5) < 0.1
    assert not found["verdict"]["warnings"]
