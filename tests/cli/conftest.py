"""The installed command, and real files for it."""

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
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


class Forking:
    """The command in children of a process that has imported everything (forking.py)."""

    def __init__(self, folder, *modules, **environment):
        script = Path(__file__).with_name("forking.py")
        self.out, self.err = folder / "out.txt", folder / "err.txt"
        self.server = subprocess.Popen(
            [sys.executable, script, *modules],
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ
            | {"OMP_NUM_THREADS": "1", "NO_COLOR": "1", "COLUMNS": "80"}
            | environment,
        )
        assert self.server.stdout.readline() == "ready\n"

    def run(self, *words, kill_after=None, **environment):
        """Exit status; negative where it was killed. What it printed lies in `out` and `err`."""
        order = {"words": [*map(str, words)], "environment": environment}
        order |= {"out": str(self.out), "err": str(self.err)}
        self.server.stdin.write(json.dumps(order) + "\n")
        self.server.stdin.flush()
        number = int(self.server.stdout.readline())
        if kill_after is not None:
            ended, _, _ = select.select([self.server.stdout], [], [], kill_after)
            if not ended:
                os.kill(number, signal.SIGKILL)
        return int(self.server.stdout.readline())


@pytest.fixture
def fork(tmp_path):
    """Start a process to fork the command from, with further modules and environment."""
    started = []

    def fork(*modules, **environment):
        started.append(Forking(tmp_path, *modules, **environment))
        return started[-1]

    yield fork
    for made in started:
        made.server.communicate()


@pytest.fixture
def forking(fork):
    """A process to fork the command from."""
    return fork()
