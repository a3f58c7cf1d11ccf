"""Names of files that are no UTF-8, or hold what would break a line: one spelling everywhere."""

import csv
import json
import os
import shlex
import subprocess
import zipfile

import numpy as np
import pytest
from commands import run
from PIL import Image
from pyarrow import parquet
from safetensors import safe_open

from imrep.assets import Assets
from imrep.datasets import find
from imrep.io.names import command_line, printable

LATIN = os.fsdecode(b"caf\xe9.png")  # as an old archive of Windows leaves it
SPELT = "caf\\xe9.png"
ODD = {
    "a\nb.png": "a\\x0ab.png",
    "\x1b[31mred.png": "\\x1b[31mred.png",
    '<b>"q",.png': '<b>"q",.png',
}
CLASS, CLASS_SPELT = os.fsdecode(b"caf\xe9"), "caf\\xe9"


def picture(seed):
    y, x = np.mgrid[:48, :48] / (4 + seed % 5)
    waves = [np.sin(x + seed), np.cos(y - seed), np.sin(x * y / 9 + seed)]
    return Image.fromarray(np.uint8(127.5 + 110 * np.stack(waves, axis=2)))


@pytest.fixture
def odd(tmp_path, monkeypatch):
    """Two classes of seven, one of them with a name that is no UTF-8; one file is broken."""
    root = tmp_path / os.fsdecode(b"fotos\xe9")
    names = {CLASS: [LATIN, *ODD, "1.png", "2.png", "3.png"], "plain": list("abcdefg")}
    for label, files in names.items():
        (root / label).mkdir(parents=True)
        for i, name in enumerate(files):
            picture(i if label == CLASS else 20 + i).save(root / label / name, "PNG")
    (root / "plain" / os.fsdecode(b"broken\xff.png")).write_bytes(b"\x89PNG\r\n\x1a\nno more")
    monkeypatch.chdir(tmp_path)
    return root


def expected():
    names = {f"{CLASS_SPELT}/{name}" for name in (SPELT, *ODD.values(), "1.png", "2.png", "3.png")}
    return names | {f"plain/{name}" for name in "abcdefg"}


def paths_of(file):
    if file.suffix == ".parquet":
        return parquet.read_table(file).column("path").to_pylist()
    if file.suffix == ".npz":
        with np.load(file) as stored:
            return stored["paths"].tolist()
    with safe_open(file, "np") as stored:
        return json.loads(stored.metadata()["paths"])


@pytest.mark.parametrize("suffix", [".parquet", ".npz", ".safetensors"])
def test_vectors_hold_every_name(odd, tmp_path, suffix):
    said = json.loads(run("embed", odd, "pixels", "-o", f"v{suffix}", "--json").stdout)
    assert set(paths_of(tmp_path / f"v{suffix}")) == expected()
    assert said["rows"] == 14
    (skipped,) = said["skipped"]
    assert skipped["path"] == "plain/broken\\xff.png"


def test_labels_of_folders_that_are_no_utf8(odd, tmp_path):
    run("embed", odd, "pixels", "-o", "v.parquet")
    labels = parquet.read_table(tmp_path / "v.parquet").column("label").to_pylist()
    assert sorted(set(labels)) == [CLASS_SPELT, "plain"]


def test_lists_of_what_was_skipped_have_a_line_for_each(odd, tmp_path):
    run("embed", odd, "pixels", "-o", "v.parquet")
    (listed,) = tmp_path.glob("*skipped.csv")
    with listed.open(newline="", encoding="utf-8") as file:
        assert [row["path"] for row in csv.DictReader(file)] == ["plain/broken\\xff.png"]


def test_a_ranking_names_every_picture_in_one_line(odd, tmp_path):
    run("match", odd / CLASS / LATIN, odd, "-o", "r.csv")
    lines = (tmp_path / "r.csv").read_text(encoding="utf-8").splitlines()
    ranked = {row[0] for row in csv.reader(lines[1:])}
    assert len(lines) == 14 and ranked == expected() - {f"{CLASS_SPELT}/{SPELT}"}


def test_match_of_two_says_both_names(odd):
    noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    for name in (LATIN, "1.png"):
        Image.fromarray(noise).save(odd / CLASS / name)
    said = run("match", odd / CLASS / LATIN, odd / CLASS / "1.png", "--json")
    assert SPELT in json.loads(said.stdout)["first"]


def test_a_report_names_every_picture(odd, tmp_path):
    said = run(
        "compare", odd, "-r", "pixels", "-r", "histogram", "-o", os.fsdecode(b"r\xe9"), "--json"
    )
    facts = json.loads(said.stdout)
    assert facts["report"] == "r\\xe9/index.html"
    folder = tmp_path / os.fsdecode(b"r\xe9")
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert CLASS_SPELT in page and "plain/broken\\xff.png" in page
    assert set(Assets.load(folder).paths) == expected()
    assert "&lt;b&gt;&#34;q&#34;,.png" in page and '<b>"q"' not in page
    rows = (folder / "results.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(row)["data_name"] for row in rows} == {"fotos\\xe9"}


def test_edited_pictures_keep_their_own_names(odd, tmp_path):
    run("edit", odd, "blur", "-o", "clean")
    written = {path.relative_to(tmp_path / "clean").as_posix()
               for path in (tmp_path / "clean").rglob("*") if path.is_file()}  # fmt: skip
    assert f"{CLASS}/{LATIN}" in written and f"{CLASS}/a\nb.png" in written


@pytest.mark.parametrize("command", ["picture", "invert"])
def test_a_picture_of_one(odd, tmp_path, command):
    said = run(command, odd / CLASS / LATIN, "pixels")
    assert "\udce9" not in said.output and SPELT.removesuffix(".png") in said.output
    assert len(list(tmp_path.glob("*.png"))) == 1


@pytest.mark.parametrize(
    "words",
    [("embed", "IT", "pixels", "-o", "v.npz"), ("picture", "IT", "hog"), ("invert", "IT", "hog"),
     ("edit", "IT", "blur"), ("match", "IT", "IT"), ("compare", "IT")],
    ids=lambda words: words[0],
)  # fmt: skip
def test_messages_spell_the_name_and_stay_on_one_line(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    missing = os.fsdecode(b"no\xe9\n\x1b[2J.png")
    done = run(*(missing if word == "IT" else word for word in words), expect=1)
    assert "no\\xe9" in done.stderr and "\x1b" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_archives_with_odd_members(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.png").write_bytes(b"")
    picture(1).save(tmp_path / "one.png")
    with zipfile.ZipFile(tmp_path / "odd.zip", "w") as archive:
        for name in ("x/a\x1b.png", "x/two\nlines.png", 'y/<b>".png', "y/é.png"):
            archive.write(tmp_path / "one.png", name)
    run("embed", "odd.zip", "pixels", "-o", "v.parquet")
    paths = paths_of(tmp_path / "v.parquet")
    assert set(paths) == {"x/a\\x1b.png", "x/two\\x0alines.png", 'y/<b>".png', "y/é.png"}


def test_an_archive_whose_names_belie_their_flag_is_refused_in_a_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    picture(1).save(tmp_path / "one.png")
    with zipfile.ZipFile("flag.zip", "w") as archive:
        archive.write("one.png", "é.png")  # flagged as UTF-8
    data = (tmp_path / "flag.zip").read_bytes().replace("é".encode(), b"\xff\xfe")
    (tmp_path / "flag.zip").write_bytes(data)
    done = run("embed", "flag.zip", "pixels", "-o", "v.parquet", expect=1)
    assert "flag.zip" in done.stderr and done.stderr.count("\n") == 1


def test_a_printed_name_may_stand_in_a_table_of_groups(odd):
    table = odd.parent / "groups.csv"
    table.write_text(f"path,group\nplain/a,one\n{CLASS_SPELT}/1.png,one\n")
    found = find(odd, groups=table)
    groups = {item.path: item.group for item in found.items}
    assert groups["plain/a"] == groups[f"{CLASS_SPELT}/1.png"] == "one"


def test_a_command_line_is_taken_back_by_a_shell(tmp_path):
    words = [
        "printf",
        "%s\\n",
        "a b",
        LATIN,
        "it's",
        "two\nlines",
        "back\\slash" + LATIN,
        "'" + LATIN,
        "next\x85line\u2028",
    ]
    line = command_line(words)
    done = subprocess.run(["bash", "-c", line], capture_output=True, check=True)
    assert done.stdout == b"".join(os.fsencode(word) + b"\n" for word in words[2:])
    assert command_line(["a b"]) == shlex.join(["a b"])


def test_names_are_spelt_once():
    assert printable(printable(LATIN)) == printable(LATIN) == SPELT
    assert printable("\ud800") == "\\ud800"
