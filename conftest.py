"""Which files pytest imports to collect tests."""

import os
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

# Rewriting the asserts of 190 files takes longer than running a few tests, and each process that a
# test starts would compile imrep anew: keep the bytecode, whatever PYTHONDONTWRITEBYTECODE says.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

_SOURCE = Path(__file__).parent / "src"


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Skip source files without a doctest: they need not be imported."""
    if collection_path.suffix == ".py" and collection_path.is_relative_to(_SOURCE):
        return ">>>" not in collection_path.read_text(encoding="utf-8") or None
    return None


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
