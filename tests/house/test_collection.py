"""Collecting tests is quick: no slow imports, and `-k NAME` reads only files that may match."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SLOW = {"matplotlib", "skimage.restoration", "timm", "torch._dynamo", "torchvision"}


def test_collection_imports_nothing_slow(pytestconfig):
    """Import these inside the tests that use them."""
    imported = pytestconfig.imported_by_collection  # by the conftest.py of the root
    assert "pytest" in imported and not SLOW & imported


def collected(name, **environment):
    """The ids that `pytest -k` collects."""
    words = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-k", name, "-m", ""]
    done = subprocess.run(
        words,
        cwd=Path(__file__).parents[2],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return {line for line in done.stdout.splitlines() if "::" in line}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hog", "laplacian", "pixels", "sift", "tanhpolar"])
def test_a_keyword_collects_what_reading_every_file_would(name):
    ids = collected(name)
    assert len(ids) > 40 and ids == collected(name, IMREP_COLLECT_ALL="1")
