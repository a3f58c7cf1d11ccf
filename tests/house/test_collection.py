"""Collecting tests is quick: no slow imports, and `-k NAME` reads only files that may match."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SLOW = {"matplotlib", "skimage.restoration", "timm", "torch._dynamo", "torchvision"}


def test_collection_imports_nothing_slow(pytestconfig):
    """Import these inside the tests that use them."""
    imported = pytestconfig.imported_by_collection  # by the conftest.py of the root
    assert "pytest" in imported
    assert not SLOW & imported


@pytest.mark.slow
def test_no_file_is_left_out_that_holds_tests_of_a_representation():
    """Else add what parametrises its tests to `_LISTS`."""
    words = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--collect-only",
        "--snapshot-warn-unused",
        "-m",
        "",
    ]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    ids = [line for line in done.stdout.splitlines() if "::" in line]
    rules = runpy.run_path(str(ROOT / "conftest.py"))
    held = {
        (name, line.partition("::")[0])
        for line in ids
        for name in rules["representations"]()
        if name in line.lower()
    }
    assert len(ids) > 5000 and len(held) > 100
    texts = {file: (ROOT / file).read_text() for _, file in held}
    may_name = rules["may_name"]
    assert not {pair for pair in held if not may_name(ROOT / pair[1], texts[pair[1]], pair[0])}
