"""Which files pytest imports to collect tests."""

import os
import re
import sys
from collections.abc import Generator
from functools import cache
from pathlib import Path

import pytest

# Rewriting the asserts of all test files takes longer than running a few tests, and each process
# that a test starts would compile imrep anew: keep the bytecode, whatever PYTHONDONTWRITEBYTECODE
# says.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

_SOURCE = Path(__file__).parent / "src"

# What parametrises tests over names of representations in files that do not hold these names. That
# none is missing is tested in tests/house/test_collection.py.
_LISTS = re.compile(r"\b(names\(\)|NAMES|SPECS|specimens|own_sources|FIXED|BANKS|ADDRESSES|SIDES)")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Skip sources without a doctest, and under `-k NAME` files that cannot hold its tests."""
    if collection_path.suffix != ".py" or collection_path.name == "conftest.py":
        return None
    text = collection_path.read_text(encoding="utf-8")
    if collection_path.is_relative_to(_SOURCE) and ">>>" not in text:
        return True
    name = config.option.keyword.lower()
    return (name in representations() and not may_name(collection_path, text, name)) or None


def may_name(path: Path, text: str, name: str) -> bool:
    """Whether a test in a file of this text may have an id with the name of a representation."""
    return name in f"{path}{text}".lower() or bool(_LISTS.search(text))


@cache
def representations() -> frozenset[str]:
    """Names of the representations: of files, and of folders."""
    return frozenset(path.stem for path in _SOURCE.glob("imrep/represent/*/[a-z]*"))


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path) -> Generator[None, list[pytest.Collector]]:
    """Look for doctests in the sources only, not in the tests."""
    collectors = yield
    if file_path.is_relative_to(_SOURCE):
        return collectors
    return [collector for collector in collectors if type(collector).__name__ != "DoctestModule"]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note the modules imported so far, for tests/house/test_collection.py."""
    session.config.imported_by_collection = frozenset(sys.modules)  # type: ignore[attr-defined]
