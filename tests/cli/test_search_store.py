"""`imrep search STORE` as a process."""

import json
import shutil

import numpy as np
import pytest
from clustered_store import ClusteredStore
from PIL import Image
from tiny_bilingual import as_plugin, write_photos

from imrep.retrieval.vector_copy import MIN_INDEXED

pytest.importorskip("lance", reason="needs the extra store")


@pytest.fixture(scope="module")
def run(imrep, tmp_path_factory):
    """Run imrep in a folder with a store of squares of three colours."""
    root = tmp_path_factory.mktemp("stores")
    write_photos(root / "photos")
    plugin = as_plugin(root / "plugin") | {"IMREP_CACHE": str(root / "cache")}
    run = lambda *words, **more: imrep(*words, cwd=root, **more, **plugin)  # noqa: E731
    run("embed", "photos", "tinycolours", "-o", "p.lance")
    run.root = root
    return run


def hits(done):
    facts = json.loads(done.stdout)
    return facts, [hit["path"] for hit in facts["hits"]]


def test_words_and_images_are_searched_by_what_wrote_the_store(run):
    facts, paths = hits(run("search", "p.lance", "a green thing", "-k", "4", "--json"))
    assert sorted(paths) == [f"green/g{i}.png" for i in range(4)]
    assert facts["match"] and facts["above"] == 4 and facts["exact"]
    facts, paths = hits(run("search", "p.lance", "photos/blue/b1.png", "--json", "-k", "3"))
    assert sorted(paths) == ["blue/b0.png", "blue/b2.png", "blue/b3.png"]
    done = run("search", "p.lance", "red/r0.png", "-k", "2", "-o", "sheet.png")
    assert done.stdout.splitlines()[0].startswith("12 images searched; first red/r")
    with Image.open(run.root / "sheet.png") as sheet:
        assert sheet.format == "PNG"


@pytest.mark.slow
def test_likes_unlikes_and_conditions(run):
    where = "label != 'red'"
    facts, paths = hits(
        run("search", "p.lance", "--like", "red/r0.png", "--unlike", "blue/b0.png",
            "--where", where, "-k", "4", "--json")
    )  # fmt: skip
    assert [path[:6] for path in paths] == ["green/"] * 4 and facts["images"] == 8
    assert facts["query"] == "red/r0.png - blue/b0.png"
    none = run("search", "p.lance", "red", "--where", "label = 'cat'", expect=1)
    assert "got none of 12. Use another --where." in none.stderr
    bad = run("search", "p.lance", "red", "--where", "colour = 1", expect=1)
    assert bad.stderr.count("\n") == 1 and "p.lance" in bad.stderr


@pytest.mark.slow
def test_a_changed_store_is_read_anew(run):
    shutil.copytree(run.root / "photos", run.root / "grown")
    run("embed", "grown", "tinycolours", "-o", "grown.lance")
    run("search", "grown.lance", "red", "--json")
    new = run.root / "grown" / "red" / "new.png"
    Image.new("RGB", (12, 12), (255, 0, 0)).save(new)
    run("embed", "grown", "tinycolours", "-o", "grown.lance")
    facts, paths = hits(run("search", "grown.lance", "red", "--json"))
    assert facts["images"] == 13 and "red/new.png" in paths[:5]
    new.unlink()
    run("embed", "grown", "tinycolours", "-o", "grown.lance")
    facts, paths = hits(run("search", "grown.lance", "red", "--json", "-k", "20"))
    assert facts["images"] == 12 and "red/new.png" not in paths


@pytest.mark.slow
def test_what_cannot_be_searched_is_said_in_a_line(run):
    other = run("search", "p.lance", "red", "-r", "tinycolours:sharp=3", expect=1)
    assert "p.lance was written by tinycolours (" in other.stderr
    assert other.stderr.endswith("Search with the first or embed again.\n")
    (run.root / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    for words, text in {
        ("broken.jpg",): "broken.jpg: this file is truncated",
        ("nosuch.png",): "got no file nosuch.png and no row of p.lance.",
    }.items():
        done = run("search", "p.lance", *words, expect=1)
        assert text in done.stderr and done.stderr.count("\n") == 1
    (run.root / "none.lance").mkdir()
    assert run("search", "none.lance", "red", expect=1).stderr.startswith("none.lance needs to be")
    two = run("search", "photos", "red", "--unlike", "blue", "-r", "tinycolours", expect=1)
    assert "needs one query, and no condition" in two.stderr
    assert run("search", "p.lance", expect=2).stderr


@pytest.mark.slow
def test_a_large_store_is_searched_by_an_index_and_a_grown_one_by_another(run):
    large = ClusteredStore(run.root / "large.lance")
    store = large.append(MIN_INDEXED)
    done = run("search", "large.lance", "7.png", "-k", "5")
    assert "recall" in done.stdout or "recall" in done.stderr
    facts, paths = hits(run("search", "large.lance", "7.png", "-k", "5", "--json"))
    assert not facts["exact"] and paths == nearest(store, 7)
    assert hits(run("search", "large.lance", "7.png", "-k", "5", "--exact", "--json"))[1] == paths
    store = large.append(1000)
    _, paths = hits(run("search", "large.lance", f"{MIN_INDEXED + 9}.png", "-k", "5", "--json"))
    assert paths == nearest(store, MIN_INDEXED + 9)


def nearest(store, row):
    """Names of the five most similar other rows, by a product of all."""
    vectors = store.vectors()
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    order = np.argsort(-(vectors @ vectors[row]))
    return [f"{i}.png" for i in order if i != row][:5]
