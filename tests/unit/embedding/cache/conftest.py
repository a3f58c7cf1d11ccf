import os
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from imrep.embedding import cache

_USER = """
import sys
from imrep.embedding import cache
with cache.pruned(None):
    for name in sys.argv[1:]:
        cache.folder(*name.split("/"))
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """A cache folder of the test's own, which need not exist yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("IMREP_CACHE", str(folder))
    return folder


@pytest.fixture
def add(own_cache):
    """Add an entry of that many kB, last used that many hours ago."""

    def add(number, *, kind="codes", kilobytes=100, hours=0.0):
        with cache.pruned(None):
            entry = cache.folder(kind, f"{number:020x}")
        (entry / "vectors.npy").write_bytes(b"\1" * (1000 * kilobytes))
        then = time.time() - 3600 * hours
        os.utime(entry / "last-used", (then, then))
        return entry

    return add


@pytest.fixture
def user(own_cache):
    """Another process that uses entries, in the block."""

    @contextmanager
    def using(*entries):
        names = [f"{entry.parent.name}/{entry.name}" for entry in entries]
        with subprocess.Popen(
            [sys.executable, "-c", _USER, *names], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout.readline() == b"ready\n"
            yield process
            process.stdin.close()

    return using
