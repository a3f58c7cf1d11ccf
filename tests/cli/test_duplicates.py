"""`imrep duplicates` as a process."""

import csv
import json

import numpy as np
import pytest
from PIL import Image, ImageOps


def scene(seed, side=160):
    """Smoothed noise: pictures that share nothing."""
    noise = np.random.default_rng(seed).random((16, 16, 3))
    return Image.fromarray(np.uint8(255 * noise)).resize((side, side), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Six pictures, copies of three of them, and a broken file."""
    root = tmp_path_factory.mktemp("duplicates")
    for label in ("cat", "dog"):
        (root / "photos" / label).mkdir(parents=True)
    for i in range(6):
        scene(i).save(root / "photos" / "cat" / f"{i}.jpg", quality=95)
    scene(0).resize((80, 80)).save(root / "photos" / "cat" / "small.jpg")
    ImageOps.mirror(scene(1)).save(root / "photos" / "dog" / "mirror.jpg", quality=60)
    (root / "photos/cat/same.jpg").write_bytes((root / "photos/cat/2.jpg").read_bytes())
    (root / "photos" / "dog" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    return root


@pytest.fixture
def run(imrep, folder):
    """Run `imrep duplicates` in that folder."""
    environment = {"IMREP_CACHE": str(folder / "cache"), "NO_COLOR": "1"}
    return lambda *words, run=imrep, **more: run(
        "duplicates", *words, cwd=folder, **more, **environment
    )


def test_the_best_of_each_group_is_kept_and_the_list_says_why(run, folder):
    done = run("photos", "-o", "list.csv", "--sheet", "sheet.png")
    lines = done.stdout.splitlines()
    assert lines[0] == (
        "3 groups of near-duplicates among 9 images: 3 images beside 3 to keep. "
        "1 group with different labels: look at them first."
    )
    assert lines[1] == "group 1  labels differ"
    rows = list(csv.DictReader((folder / "list.csv").read_text().splitlines()))
    keep = {row["path"]: row["why"] for row in rows if row["keep"] == "yes"}
    assert [*keep] == ["cat/1.jpg", "cat/0.jpg", "cat/2.jpg"]
    assert keep["cat/0.jpg"] == "most pixels, 160×160"
    others = {row["path"]: row for row in rows if row["keep"] == "no"}
    assert others["dog/mirror.jpg"]["mirrored"] == "yes"
    assert others["dog/mirror.jpg"]["copy_of"] == "cat/1.jpg"
    assert others["cat/small.jpg"]["why"].startswith("80×80 for 160×160 px, agreement ")
    assert others["cat/same.jpg"]["equal"] == "files"
    with Image.open(folder / "sheet.png") as sheet:
        assert sheet.format == "PNG" and sheet.height > 3 * 168
    assert "dog/broken.jpg: " in done.stderr


def test_json_has_every_pair_with_its_evidence(run, installed):
    facts = json.loads(run("photos", "--json", run=installed).stdout)
    assert (facts["images"], facts["surplus"]) == (9, 3)
    assert [len(group["images"]) for group in facts["groups"]] == [2, 2, 2]
    assert facts["groups"][0]["labels_differ"]
    assert all(i["agreement"] > 0.8 for group in facts["groups"] for i in group["images"])
    assert facts["skipped"][0]["path"] == "dog/broken.jpg"


def test_a_file_of_somebody_else_is_not_replaced(run, folder):
    (folder / "mine.csv").write_text("a,b\n1,2\n")
    done = run("photos", "-o", "mine.csv", expect=1)
    assert done.stderr.startswith("mine.csv needs to be a list that imrep duplicates wrote")
    assert (folder / "mine.csv").read_text() == "a,b\n1,2\n"
    assert "needs a name ending in .csv" in run("photos", "-o", "x.png", expect=1).stderr
    assert run("photos", "--strict", expect=3).stdout


def test_what_is_no_store_is_refused_in_a_line(run, folder):
    (folder / "empty.lance").mkdir(exist_ok=True)
    pytest.importorskip("lance", reason="needs the extra store")
    done = run("empty.lance", expect=1)
    assert (
        done.stderr.startswith("empty.lance needs to be a store") and done.stderr.count("\n") == 1
    )


def test_the_images_of_a_store_are_compared(run, imrep, folder):
    pytest.importorskip("lance", reason="needs the extra store")
    environment = {"IMREP_CACHE": str(folder / "cache"), "NO_COLOR": "1"}
    imrep("embed", "photos", "pixels:side=4", "-o", "p.lance", cwd=folder, **environment)
    facts = json.loads(run("p.lance", "--json").stdout)
    assert (facts["images"], facts["surplus"]) == (9, 3)
