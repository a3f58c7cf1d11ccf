"""`imrep search` as a process."""

import json

import pytest
from PIL import Image
from tiny_bilingual import as_plugin, write_photos


@pytest.fixture(scope="module")
def search(imrep, tmp_path_factory):
    """Run `imrep search` in a folder with squares of three colours, one file of which is broken."""
    root = tmp_path_factory.mktemp("search")
    write_photos(root / "photos")
    (root / "photos" / "red" / "r9.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    plugin = as_plugin(root / "plugin") | {"IMREP_CACHE": str(root / "cache")}
    search = lambda *words, run=imrep, **more: run(  # noqa: E731
        "search", "photos", *words, "-r", "tinycolours", cwd=root, **more, **plugin
    )
    search.root = root
    return search


def test_words_give_a_table_and_a_contact_sheet(search, installed):
    done = search("a green thing", "-k", "5", "-o", "sheet.png", run=installed)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("4 of 12 images score above what unrelated pictures do (")
    assert [line[:9] for line in lines[2:7]] == ["● green/g"] * 4 + [lines[6][:9]]
    assert lines[6][0] == " " and lines[-1] == "sheet.png  contact sheet"
    with Image.open(search.root / "sheet.png") as sheet:
        assert sheet.format == "PNG" and sheet.width > 400
    assert "red/r9.jpg: " in done.stderr


def test_an_image_is_a_query_and_json_has_everything(search):
    facts = json.loads(search("photos/blue/b1.png", "--json", "-k", "2").stdout)
    assert facts["is_image"] and facts["query"] == "b1.png" and facts["images"] == 11
    assert [hit["path"][:5] for hit in facts["hits"]] == ["blue/"] * 2
    assert facts["skipped"][0]["path"] == "red/r9.jpg" and facts["unrelated"] == 100
    again = json.loads(search("photos/blue/b1.png", "--json").stdout)
    assert again["embedded"] == 0


def test_words_that_name_no_image_are_refused_in_one_line(search):
    done = search("nosuch.png", expect=1)
    assert done.stderr == "search needs words or an image, got no file nosuch.png.\n"
    assert search("red", "--strict", expect=3).stdout
    assert "needs a name ending in" in search("red", "-o", "sheet.txt", expect=1).stderr
