"""`imrep segment`: files, areas, and what is refused."""

import json

import numpy as np
import pytest
from PIL import Image

SPEC = "ikshana:variant=2S-1G,weights=random,classes=3"


@pytest.fixture
def photos(tmp_path):
    (tmp_path / "photos").mkdir()
    for i in range(2):
        pixels = np.random.default_rng(i).integers(256, size=(20, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{i}.png")
    return tmp_path / "photos"


def test_an_image_has_a_mask_an_overlay_and_areas(inside, photos, tmp_path):
    done = inside("segment", "photos/0.png", SPEC)

    assert "0.segmented  masks and overlays of 1 image" in done.stdout and "%" in done.stdout
    mask = Image.open(tmp_path / "0.segmented" / "masks" / "0.png")
    assert mask.size == (30, 20) and np.asarray(mask).max() < 3
    assert (tmp_path / "0.segmented" / "overlays" / "0.png").is_file()
    header, row = (tmp_path / "0.segmented" / "areas.csv").read_text().splitlines()
    assert header == "path,0,1,2" and row.startswith("0.png,")


def test_a_folder_in_json(inside, photos):
    (photos / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    done = inside(
        "segment", "photos", SPEC, "-o", "out", "--size", "16", "--json", "--strict", expect=3
    )
    facts = json.loads(done.stdout)
    assert [each["path"] for each in facts["images"]] == ["0.png", "1.png"]
    assert sum(facts["areas"].values()) == pytest.approx(1)
    assert facts["skipped"][0]["path"] == "broken.png" and facts["out"] == "out"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["photos", "hog"], "segment needs a representation that segments, got hog. Try ikshana"),
        (["photos", "ikshana"], "ikshana needs weights, and none come with imrep. Train it"),
        (["photos", SPEC, "-o", "photos/out"], "segment would write among the images it reads"),
        (["nothing.png", SPEC], "got nothing at nothing.png"),
    ],
)
def test_what_cannot_be_done_is_said(inside, photos, words, message):
    done = inside("segment", *words, expect=1)
    assert message in done.stderr
