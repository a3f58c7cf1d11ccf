"""The installed command, and real files for it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image


@pytest.fixture(scope="session")
def start():
    """Start the installed command in a plain terminal of eighty columns, on one thread."""
    plain = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    plain |= {"OMP_NUM_THREADS": "1", "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"}

    def start(*arguments, cwd=None, **more):
        return subprocess.Popen(
            [Path(sys.executable).with_name("imrep"), *map(str, arguments)],
            cwd=cwd,
            env={**plain, **more},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    return start


@pytest.fixture(scope="session")
def imrep(start):
    """Run the installed command to its end, and check its exit code."""

    def imrep(*arguments, expect=0, **more):
        running = start(*arguments, **more)
        out, err = running.communicate(timeout=300)
        assert running.returncode == expect, f"exit {running.returncode}\n{out}\n{err}"
        return subprocess.CompletedProcess(arguments, running.returncode, out, err)

    return imrep


@pytest.fixture
def inside(monkeypatch, tmp_path):
    """Run a command in this process and in an empty folder: the same, without importing torch."""
    from imrep.cli import main

    monkeypatch.chdir(tmp_path)

    def inside(*arguments, expect=0):
        done = CliRunner().invoke(main, [*map(str, arguments)], catch_exceptions=False)
        assert done.exit_code == expect, done.output
        return done

    return inside


def picture(i, height=40, width=56):
    """Waves in three colours."""
    y, x = np.mgrid[:height, :width] / 10
    waves = [np.sin(x + i), np.cos(y - i), np.sin(x * y / 9 + i)]
    return Image.fromarray(np.uint8(127.5 + 110 * np.stack(waves, axis=2)))


@pytest.fixture
def cat(tmp_path):
    """One image."""
    picture(0, 48, 60).save(tmp_path / "cat.png")
    return tmp_path / "cat.png"


@pytest.fixture
def photos(tmp_path):
    """Twelve images of two classes, and one that is broken."""
    root = tmp_path / "photos"
    for i in range(12):
        path = root / "ab"[i % 2] / f"{i:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(i).save(path)
    (root / "a" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    return root
