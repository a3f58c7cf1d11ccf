"""The documentation builds without a warning, whole, and asks nothing of anybody else."""

import contextlib
import os
import re
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click
import numpy as np
import pyarrow.parquet
import pytest
from filelock import FileLock

import imrep
from imrep.cli import main
from imrep.registry import catalog, operations

ROOT = Path(__file__).parent.parent.parent
pytest.importorskip("material", reason="needs the documentation group: pip install --group docs")
pytestmark = pytest.mark.slow  # building it draws every representation

_LOADS = {"script": "src", "img": "src", "source": "src", "iframe": "src", "link": "href"}


class Page(HTMLParser):
    """What a page links to, loads, defines as anchors, and shows as code."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loads, self.anchors, self.blocks = set(), set(), set(), []
        self.within = None
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.anchors |= {given[key] for key in ("id", "name") if given.get(key)}
        if tag == "a" and given.get("href"):
            self.links.add(given["href"])
        if (loaded := given.get(_LOADS.get(tag))) and given.get("rel") != "canonical":
            self.loads.add(loaded)
        if tag == "pre":
            self.within = ""

    def handle_endtag(self, tag):
        if tag == "pre" and self.within is not None:
            self.blocks.append(self.within)
            self.within = None

    def handle_data(self, data):
        if self.within is not None:
            self.within += data


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Built once, by whichever of pytest's processes comes first; it uses every core itself."""
    root = tmp_path_factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    folder, log = root / "site", root / "site.txt"
    with FileLock(root / "site.lock"):
        if not log.exists():
            log.write_text(build(folder), encoding="utf-8")
    said = log.read_text(encoding="utf-8")
    assert said.endswith("exit 0") and "WARNING" not in said, said
    return folder


def build(folder):
    """What `mkdocs build --strict` says, and its exit code."""
    quick = {"IMREP_DOCS": "quick", "NO_MKDOCS_2_WARNING": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | quick, capture_output=True, text=True, check=False
    )
    return f"{done.stdout}{done.stderr}exit {done.returncode}"


@pytest.fixture(scope="module")
def pages(site):
    return {path.relative_to(site).as_posix(): Page(path) for path in site.rglob("*.html")}


def test_every_representation_has_its_page_and_stands_in_the_gallery(site, pages):
    for name in imrep.names():
        page = (site / f"representations/{name}.html").read_text(encoding="utf-8")
        assert catalog.card(name).title in page
        for parameter in catalog.entry(name).parameters:
            assert f"<code>{parameter.name}=" in page, f"{name} does not show {parameter.name}"
        assert f"representations/{name}.html" in pages["gallery.html"].links
        assert f"{name}.html" in pages["representations/index.html"].links


def test_every_representation_is_drawn_on_three_photographs(site, pages):
    for name in imrep.names():
        pictures = [path for path in pages["gallery.html"].loads if f"/{name}-" in path]
        assert len(pictures) in (3, 6)  # without and with the reconstruction
        assert len({(site / path).read_bytes() for path in pictures}) == len(pictures)
    assert "alt=" in (site / "gallery.html").read_text(encoding="utf-8")


def test_every_operation_is_explained_and_shown(site, pages):
    assert set(operations.names()) <= pages["edit.html"].anchors
    for name in operations.names():
        if operations.entry(name).gives == operations.entry(name).takes:
            assert (site / f"pictures/edit-{name}.jpg").is_file(), f"{name} is not shown"


def test_every_public_name_is_in_the_api(site):
    text = (site / "api.html").read_text(encoding="utf-8")
    assert not [name for name in imrep.__all__ if not re.search(rf"\bimrep\.{name}\b", text)]


def test_nothing_is_loaded_from_elsewhere(site, pages):
    loads = {(page, path) for page, found in pages.items() for path in found.loads}
    assert len(loads) > 100
    assert not [pair for pair in loads if urlsplit(pair[1]).netloc]
    for style in site.rglob("*.css"):
        urls = re.findall(r"""url\(["']?([^"')]+)|@import""", style.read_text(encoding="utf-8"))
        assert not [url for url in urls if not url.startswith(("data:", "#"))], style.name


def test_links_within_lead_somewhere(site, pages):
    broken = []
    for page, found in pages.items():
        for link in found.links | found.loads:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or page == "404.html":
                continue
            path = (site / page).parent / unquote(parts.path) if parts.path else site / page
            target = path.resolve()
            known = pages.get(os.path.relpath(target, site.resolve()))
            there = target.is_file() and not (
                parts.fragment and known and unquote(parts.fragment) not in known.anchors
            )
            broken += [] if there else [(page, link)]
    assert not broken


def test_commands_on_the_pages_are_ones_the_command_line_takes(pages, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # the files that a page compares; they are read while the arguments are
    table = {"path": ["a.jpg", "b.jpg"], "vector": [[0.0, 1.0], [1.0, 0.0]]}
    pyarrow.parquet.write_table(pyarrow.table(table), "clip.parquet")
    pyarrow.parquet.write_table(pyarrow.table(table), "new.parquet")
    np.save("other.npy", np.eye(2))
    lines = {
        line for page in pages.values() for block in page.blocks for line in block.splitlines()
    }
    commands = [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("imrep ")]
    assert len(commands) > 3 * len(imrep.names())
    for name, *arguments in commands:
        context = click.Context(main, info_name="imrep")
        command = main.get_command(context, name)
        assert command is not None, name
        with contextlib.suppress(click.exceptions.Exit):  # of --help and --about
            command.make_context(name, list(arguments), parent=context)
