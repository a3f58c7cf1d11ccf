"""`imrep map` as a process."""

import json

import numpy as np
import pytest
from commands import run
from PIL import Image
from pyarrow import parquet


@pytest.fixture(scope="module")
def map_of(imrep, tmp_path_factory):
    """Run `imrep map` in a folder with photographs, of which one is broken, and their vectors."""
    root = tmp_path_factory.mktemp("map")
    rng = np.random.default_rng(0)
    for label in ("dune", "reef"):
        (root / "photos" / label).mkdir(parents=True)
        for i in range(8):
            noise = rng.integers(0, 256, (4, 6, 3), np.uint8)
            picture = Image.fromarray(noise).resize((60, 40))
            picture.save(root / "photos" / label / f"{i}.png")
    cache = {"IMREP_CACHE": str(root / "cache")}
    imrep("embed", "photos", "hog", "-o", "v.parquet", cwd=root, **cache)
    (root / "photos" / "reef" / "7.png").write_bytes(b"\x89PNG and no more")
    map_of = lambda *words, run=imrep: run("map", *words, cwd=root, **cache)  # noqa: E731
    map_of.root = root
    return map_of


def test_a_page_with_thumbnails_and_what_it_preserves(map_of, installed):
    pytest.importorskip("pacmap", reason="needs the extra map: pip install 'imrep[map]'")
    done = map_of("v.parquet", "--images", "photos", "-o", "map.html", run=installed)
    first, second = done.stdout.splitlines()
    assert first == "map.html  16 images by PaCMAP"
    assert second.startswith("Of the 10 images most similar to an image, ")
    assert "reef/7.png: " in done.stderr and "15 of 16 images have a thumbnail." in done.stderr
    html = (map_of.root / "map.html").read_text()
    assert "16 images by <strong>hog</strong>" in html and 'class="sheet"' in html
    again = map_of("v.parquet", "--images", "photos", "-o", "again.html")
    assert (map_of.root / "again.html").read_text() == html and again.stdout[10:] == done.stdout[8:]


def test_json_has_everything_and_the_name_has_a_default(map_of, monkeypatch):
    monkeypatch.chdir(map_of.root)
    done = run("map", "v.parquet", "--method", "pca", "--json")
    facts = json.loads(done.stdout)
    assert facts["out"] == "v.map.html" and (map_of.root / "v.map.html").is_file()
    assert facts["images"] == 16 and facts["method"] == "pca" and facts["spec"] == "hog"
    assert facts["classes"] == 2 and facts["thumbnails"] == 0 and facts["measured_on"] == 16
    assert 0 < facts["preserved"] <= 1 and facts["chance"] == 10 / 15
    assert "Name their folder with --images." in done.stderr


def test_a_table_has_positions(map_of, monkeypatch):
    monkeypatch.chdir(map_of.root)
    run("map", "v.parquet", "--method", "pca", "-o", "xy.parquet", "-q")
    table = parquet.read_table(map_of.root / "xy.parquet")
    assert table.column_names == ["path", "label", "x", "y", "vector"] and len(table) == 16


def test_a_store_remembers_its_images(map_of, monkeypatch):
    pytest.importorskip("lance", reason="needs the extra store: pip install 'imrep[store]'")
    monkeypatch.chdir(map_of.root)
    run("embed", "photos", "hog", "-o", "photos.lance", "-q")
    words = "photos.lance", "--method", "pca", "--json", "-q"
    facts = json.loads(run("map", *words, "-o", "store.html").stdout)
    assert facts["images"] == facts["thumbnails"] == 15 and facts["spec"] == "hog"
    part = json.loads(run("map", *words, "--where", "label = 'dune'", "-o", "dune.html").stdout)
    assert part["images"] == 8 and part["classes"] == 1


def test_strict_tells_of_the_skipped(map_of, monkeypatch):
    monkeypatch.chdir(map_of.root)
    words = "v.parquet", "--images", "photos", "--method", "pca", "-o", "strict.html", "--strict"
    assert run("map", *words, expect=3).stdout.startswith("strict.html")


def test_refusals_are_one_line_and_write_nothing(map_of, monkeypatch):
    root = map_of.root
    monkeypatch.chdir(root)
    (root / "v.txt").write_text("no vectors")
    np.save(root / "nan.npy", np.full((20, 3), np.nan))
    np.save(root / "one.npy", np.ones((1, 3)))
    np.save(root / "same.npy", np.ones((20, 3)))
    np.save(root / "other.npy", np.random.default_rng(0).random((5, 3)))
    before = {*root.iterdir()}
    for words, message in {
        ("absent.parquet",): "got nothing at absent.parquet",
        ("photos",): "needs a file of .parquet",
        ("v.txt",): "needs a file of .parquet",
        ("nan.npy",): "row 1",
        ("one.npy",): "at least two vectors, got 1",
        ("same.npy",): "needs vectors that differ, got 20",
        ("other.npy", "--images", "photos"): "as many images as vectors without paths, got 16 and",
        ("v.parquet", "--images", "absent"): "absent",
        ("v.parquet", "-o", "map.png"): "ending in .html or .parquet, got 'map.png'",
        ("v.parquet", "-o", "v.txt/map.html"): "v.txt",
    }.items():
        done = run("map", *words, "--method", "pca", "-q", expect=1)
        assert message in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert {*root.iterdir()} == before
