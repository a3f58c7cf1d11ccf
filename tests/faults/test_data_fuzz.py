"""Random folders of pictures, tables, links, closed folders and foreign files: nothing is lost."""

import csv
import io
import os
import shutil
import tempfile
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from imrep import datasets, images

_CLASSES = ("disc", "wave", "café", "ring 2", "Größe")
_SPLITS = ("train", "test", "val2017", "Train_Set", "images_valid")
_FOREIGN = (".txt", ".pdf", ".html", ".mp4")
_SPELLINGS = ("as it is", "dotted", "through", "absolute", "decomposed", "upper", "backslash")


def png(number):
    file = io.BytesIO()
    Image.fromarray(np.full((5, 6), number % 256, np.uint8)).save(file, "PNG")
    return file.getvalue()


@dataclass
class Planted:
    """What lies in a folder, and what ought to be found in it."""

    labels: dict[str, str | None] = field(default_factory=dict)  # of every image, readable or not
    refused: set[str] = field(default_factory=set)
    foreign: int = 0
    left_out: int = 0
    closed: bool = False


@st.composite
def plans(draw):
    """How a folder is laid out; drawn first, so that a failing one is made small."""
    classes = draw(st.lists(st.sampled_from(_CLASSES), min_size=1, max_size=3, unique=True))
    splits = draw(st.lists(st.sampled_from(_SPLITS), max_size=3, unique=True))
    kinds = st.sampled_from(("png", "png", "nameless", "broken", "jxl", "dead", "link", "foreign"))
    return {
        "prefix": draw(st.sampled_from(("", "set/", "set/Images/"))),
        "folders": [f"{split}/{kind}" for split in splits or [""] for kind in classes],
        "files": draw(st.lists(st.tuples(st.integers(0, 8), kinds), max_size=12)),
        "beside": draw(st.booleans()) and len(splits) > 1,
        "closed": draw(st.booleans()),
        "table": draw(st.sampled_from((None, ",", ";", "\t"))),
        "encoding": draw(st.sampled_from(("utf-8", "utf-8-sig", "utf-16"))),
        "lines": draw(
            st.lists(
                st.tuples(
                    st.integers(0, 30),
                    st.sampled_from(_SPELLINGS),
                    st.sampled_from(("x", "y", "zählt", "")),
                ),
                max_size=15,
            )
        ),
        "missing": draw(st.integers(0, 2)),
        "column": draw(st.sampled_from(("label", "Class", "category"))),
    }


def plant(root, plan, store):
    """Write what a plan says."""
    planted = Planted()
    folders = [plan["prefix"] + folder.strip("/") for folder in plan["folders"]]
    for number, folder in enumerate(folders):
        add(root, planted, f"{folder}/{number:03}.png", "png", number, store)
    for number, (where, kind) in enumerate(plan["files"], 100):
        folder = folders[where % len(folders)]
        suffix = {"nameless": "", "broken": ".jpg", "jxl": ".jxl"}.get(kind, ".png")
        add(root, planted, f"{folder}/{number:03}{suffix}", kind, number, store)
    if plan["beside"] and plan["table"] is None:
        add(root, Planted(), f"{plan['prefix']}docs/logo.png", "png", 1, store)
        planted.left_out = 1
    if plan["closed"]:
        add(root, Planted(), "closed/1.png", "png", 1, store)
        planted.labels["closed/"] = None
        planted.refused.add("closed/")
    if plan["table"] is not None:
        write_table(root, planted, plan)
    return planted


def add(root, planted, name, kind, number, store):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "foreign":
        path.with_suffix(_FOREIGN[number % len(_FOREIGN)]).write_text("no picture")
        planted.foreign += 1
        return
    planted.labels[name] = path.parent.name
    if kind in ("png", "nameless"):
        path.write_bytes(png(number))
    elif kind == "link":
        (store / f"{number}.png").write_bytes(png(number))
        path.symlink_to(store / f"{number}.png")
    else:
        planted.refused.add(name)
        if kind == "dead":
            path.symlink_to(store / "gone.png")
        else:
            path.write_bytes(b"\xff\xd8\xff no more" if kind == "broken" else b"\xff\x0a no more")


def write_table(root, planted, plan):
    """A split.csv that names some of the images, in one of several spellings each."""
    names = [name for name in planted.labels if not name.endswith("/")]
    told: dict[str, str] = {}
    lines = [["path", plan["column"]]]
    for position, spelling, label in plan["lines"]:
        name = names[position % len(names)]
        if told.setdefault(name, label) == label:
            lines.append([spelled(root, name, spelling), label])
    for number in range(plan["missing"]):
        told[f"gone/{number}.png"] = "x"
        planted.refused.add(f"gone/{number}.png")
        lines.append([f"gone/{number}.png", "x"])
    text = io.StringIO()
    csv.writer(text, delimiter=plan["table"]).writerows(lines)
    (root / "split.csv").write_bytes(text.getvalue().encode(plan["encoding"]))
    everything = {*planted.labels, *told}
    planted.labels = {name: told.get(name) or None for name in everything}


def spelled(root, name, spelling):
    return {
        "dotted": f"./{name}",
        "through": f"{name.split('/')[0]}/../{name}",
        "absolute": str(root / name),
        "decomposed": unicodedata.normalize("NFD", name),
        "upper": name.upper().replace("SS", "ß") if name.isascii() else name,
        "backslash": name.replace("/", "\\"),
    }.get(spelling, name)


def closing(patch, name):
    """Have the system refuse a folder's entries, for root too."""
    scandir = os.scandir

    def guarded(path="."):
        if Path(os.fspath(path)).name == name:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    patch.setattr(os, "scandir", guarded)


def read(found):
    """Paths of the images that could be read, and of those that could not."""
    rows, skipped = set(), set()
    for loaded in images.load_squares(found.items, 4, threads=1):
        (rows if len(loaded) == 3 else skipped).add(found.items[loaded[0]].path)
    return rows, skipped


@given(plans())
@settings(max_examples=150)
def test_rows_and_skipped_are_the_files_and_labels_those_planted(plan):
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        root, store = Path(name, "data"), Path(name, "store")
        root.mkdir()
        store.mkdir()
        planted = plant(root, plan, store)
        closing(patch, "closed")
        found = datasets.find(root)
        assert {item.path: item.label for item in found.items} == planted.labels
        rows, skipped = read(found)
        assert skipped == planted.refused
        assert len(rows) + len(skipped) == len(planted.labels) == len(found.items) == found.total
        notes = " ".join(found.notes)
        if planted.foreign:
            assert f"{planted.foreign} file" in notes and "of other kinds left out" in notes
        assert ("docs/ (1 picture)" in notes) == bool(planted.left_out)


@given(plans())
@settings(max_examples=75)
def test_an_archive_is_the_folder_it_was_made_from(plan):
    with tempfile.TemporaryDirectory() as name:
        root, store = Path(name, "data"), Path(name, "store")
        root.mkdir()
        store.mkdir()
        kinds = [(where, kind) for where, kind in plan["files"] if kind not in ("dead", "link")]
        lines = [line for line in plan["lines"] if line[1] != "absolute"]
        planted = plant(root, plan | {"files": kinds, "lines": lines, "closed": False}, store)
        packed = shutil.make_archive(f"{name}/packed", "zip", root)
        inside = shutil.make_archive(f"{name}/data", "zip", name, "data")  # under its own name
        for path in (packed, inside):
            found = datasets.find(path)
            assert {item.path: item.label for item in found.items} == planted.labels
            assert read(found)[1] == planted.refused
            assert found.notes == datasets.find(root).notes


@given(plans())
@settings(max_examples=50)
def test_a_list_of_its_files_has_the_labels_of_the_folder(plan):
    assume(len(plan["folders"]) > 1)  # what all lie in is no class
    with tempfile.TemporaryDirectory() as name:
        root, store = Path(name, "data"), Path(name, "store")
        root.mkdir()
        store.mkdir()
        planted = plant(root, plan | {"table": None, "closed": False}, store)
        files = sorted(str(path) for path in root.rglob("*") if not path.is_dir())
        found = datasets.find(files)
        labels = {Path(item.path).relative_to(root).as_posix(): item.label for item in found.items}
        assert labels == planted.labels
