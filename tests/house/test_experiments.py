"""Experiments of the documentation: pages whose numbers are those that their scripts wrote."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS, PAGES = ROOT / "docs" / "experiments", ROOT / "docs" / "pages" / "experiments"
NAMES = sorted(path.stem for path in PAGES.glob("*.md") if path.stem != "index")
_SHARED = {"page", "denoisers"}
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
# What is not measured: code, addresses, and publications that are quoted.
_TEXT = re.compile(r"`[^`]*`|doi:[^\s\])]+|\]\([^)]*\)|^>.*$", re.MULTILINE)
_MEASURED = re.compile(r"\d\.\d|±|\d ?(?:dB|%)")
_DECIMAL = re.compile(r"\d[\d,]*\.\d+")


@pytest.fixture
def module(monkeypatch):
    """A script of docs/experiments by its name."""
    monkeypatch.setattr(sys, "path", [str(SCRIPTS), *sys.path])

    def load(name):
        spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
        loaded = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, loaded)
        spec.loader.exec_module(loaded)
        return loaded

    return load


def results(name, folder=PAGES):
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def template(name):
    return (PAGES / f"{name}.md").read_text(encoding="utf-8")


def times(value, factor):
    """The same structure with larger numbers; counts, which are whole, stay."""
    if isinstance(value, dict):
        return {key: times(each, factor) for key, each in value.items()}
    if isinstance(value, list):
        return [times(each, factor) for each in value]
    return value * factor if isinstance(value, float) else value


def structure(value):
    """Keys and types; of a list those of its first item."""
    if isinstance(value, dict):
        return {key: structure(each) for key, each in value.items()}
    if isinstance(value, list):
        return [structure(value[0])] if value else []
    return "number" if isinstance(value, int | float) else type(value).__name__


def decimals(markdown):
    """Of the prose and tables, as they are printed."""
    return _DECIMAL.findall(_TEXT.sub("", re.sub(r"<svg.*?</svg>", "", markdown)))


def test_every_script_has_its_page():
    scripts = {path.stem for path in SCRIPTS.glob("*.py")} - _SHARED
    assert scripts == set(NAMES)
    index = (PAGES / "index.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"]({name}.md)" in index] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_no_measured_number_is_typed_into_a_page(name):
    prose = _TEXT.sub("", _JINJA.sub("", template(name)))
    assert not _MEASURED.findall(prose)


@pytest.mark.parametrize("name", NAMES)
def test_the_numbers_of_a_page_follow_from_its_results(name, module, tmp_path):
    page = module("page")
    altered = tmp_path / "altered"
    altered.mkdir()
    for path in PAGES.glob(f"{name}*"):
        (altered / path.name).write_bytes(path.read_bytes())
    (altered / f"{name}.json").write_text(json.dumps(times(results(name), 1000.0)))
    before, after = (
        decimals(page.rendered(template(name), name, folder)) for folder in (PAGES, altered)
    )
    assert len(before) == len(after) > 3
    assert not [a for a, b in zip(before, after, strict=True) if a == b and float(a)]


@pytest.mark.parametrize("name", NAMES)
def test_the_words_of_a_page_hold(name, module):
    claims = module(name).claims(results(name))
    assert claims
    assert not [claim for claim, holds in claims.items() if not holds]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_script_runs_and_writes_all_that_its_page_names(name, module, tmp_path):
    if "IMREP_DATA" in (SCRIPTS / f"{name}.py").read_text() and not os.environ.get("IMREP_DATA"):
        pytest.skip("needs the shared data: IMREP_DATA")
    command = [sys.executable, str(SCRIPTS / f"{name}.py"), "--quick", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert structure(results(name, tmp_path)) == structure(results(name))
    own = {path.name for path in PAGES.glob(f"{name}[-.]*") if path.suffix != ".md"}
    assert {path.name for path in tmp_path.iterdir()} == own
    page = module("page").rendered(template(name), name, tmp_path)
    assert "nan" not in page
