"""The example in CONTRIBUTING.md does what it says, for somebody who copies it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def checkout(tmp_path):
    """A copy of the repository with the two files of the example added, and nothing else edited."""
    for folder in ("src", "tests"):
        clutter = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=clutter)
    for name in ("pyproject.toml", "conftest.py", "CITATION.cff"):
        shutil.copy(ROOT / name, tmp_path)
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    paths = re.findall(r"`((?:src|tests)/\S+contrast\.py)`", text)
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    for path, block in zip(paths, blocks, strict=True):
        (tmp_path / path).write_text(block, encoding="utf-8")
    return tmp_path


def run(checkout, *arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(checkout / "src"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_newcomers_two_files_pass_everything(checkout):
    picked = ["-k", "contrast and not by_default", "-p", "no:cacheprovider", "-q"]
    folders = ["tests/contract/test_contract.py", "tests/house/test_house.py", "tests/represent"]
    done = run(checkout, "-m", "pytest", *picked, *folders)
    assert done.returncode == 0, done.stdout + done.stderr
    count = int(re.search(r"(\d+) passed", done.stdout)[1])
    assert count > 25  # the contract, the house and its own


@pytest.mark.slow
def test_the_example_is_in_the_houses_style(checkout):
    files = [str(path) for path in checkout.rglob("*contrast.py")]
    assert len(files) == 2
    for tool in (["ruff", "check"], ["ruff", "format", "--check"]):
        done = run(checkout, "-m", *tool, *files)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_command_line_knows_it(checkout):
    done = run(checkout, "-m", "imrep.cli", "card", "contrast")
    assert "Local contrast" in done.stdout and "side=8" in done.stdout, done.stderr
