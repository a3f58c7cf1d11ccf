"""The command in processes of its own, and real files for it."""

import subprocess

import numpy as np
import pytest
from forked_command import IMREP, PLAIN, Server
from PIL import Image


def start_installed(*arguments, cwd=None, environment=PLAIN, **more):
    """Start the installed command in a plain terminal of eighty columns, on one thread."""
    return subprocess.Popen(
        [IMREP, *map(str, arguments)],
        cwd=cwd,
        env={**environment, **more},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def to_its_end(start):
    """Run what `start` starts to its end, and check its exit code."""

    def run(*arguments, expect=0, **more):
        running = start(*arguments, **more)
        out, err = running.communicate(timeout=300)
        assert running.returncode == expect, f"exit {running.returncode}\n{out}\n{err}"
        return subprocess.CompletedProcess(arguments, running.returncode, out, err)

    return run


@pytest.fixture(scope="session")
def installed():
    """Run the installed command: for what depends on its imports, or on how it starts and ends."""
    return to_its_end(start_installed)


@pytest.fixture(scope="session")
def servers():
    """Processes to fork the command from, by the modules they have imported besides."""
    servers = {}

    def server(*modules, path=None):
        if (modules, path) not in servers:
            servers[modules, path] = Server(modules, path)
        return servers[modules, path]

    yield server
    for each in servers.values():
        each.close()


@pytest.fixture(scope="session")
def start(servers):
    """Start the command as `start_installed` does, in a process that has imported torch already.

    Where the environment differs in what imports read, it is the installed command after all.
    """

    def start(*arguments, cwd=None, environment=PLAIN, **more):
        environment = {**environment, **more}
        server = servers(path=more.get("PYTHONPATH"))
        if not server.suits(environment):
            return start_installed(*arguments, cwd=cwd, environment=environment)
        return server.start([*map(str, arguments)], environment, cwd)

    return start


@pytest.fixture(scope="session")
def imrep(start):
    """Run the command to its end, and check its exit code."""
    return to_its_end(start)


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
    """The command in children of a server, each perhaps killed after some seconds."""

    def __init__(self, server, folder, environment):
        self.server, self.environment = server, {**PLAIN, "NO_COLOR": "1"} | environment
        self.out, self.err = folder / "out.txt", folder / "err.txt"

    def run(self, *words, kill_after=None, **environment):
        """Exit status; negative where it was killed. What it printed lies in `out` and `err`."""
        environment = self.environment | environment
        with self.out.open("w") as out, self.err.open("w") as err:
            streams = out.fileno(), err.fileno()
            process = self.server.start([*map(str, words)], environment, None, *streams)
        with process:
            try:
                return process.wait(kill_after)
            except subprocess.TimeoutExpired:
                process.kill()
                return process.wait()


@pytest.fixture
def fork(tmp_path, servers):
    """The command in processes to be killed, with further modules and environment."""
    return lambda *modules, **environment: Forking(
        servers(*modules, path=environment.get("PYTHONPATH")), tmp_path, environment
    )


@pytest.fixture
def forking(fork):
    """The command in processes to be killed."""
    return fork()
