"""The command as a child of a process that has imported what it imports (fork_server.py)."""

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

IMREP = str(Path(sys.executable).with_name("imrep"))
# A plain terminal of eighty columns, and one thread.
PLAIN = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
PLAIN |= {"OMP_NUM_THREADS": "1", "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"}

# What imrep reads while it runs. Whatever else differs may have been read by an import.
_READ_LATE = {
    *("COLUMNS", "FORCE_COLOR", "IMREP_CACHE", "IMREP_CACHE_LIMIT", "NO_COLOR", "TERM"),
    *("PYTEST_CURRENT_TEST", "PYTEST_VERSION"),
}


class Process:
    """A child of the server, with the methods and attributes of `subprocess.Popen`."""

    def __init__(self, words, answers, stdout, stderr):
        self.args, self._answers = words, answers
        self._lines = answers.makefile()
        self.stdout, self.stderr, self.returncode = stdout, stderr, None
        self.pid = int(self._lines.readline())

    def poll(self):
        """The exit status, negative for a signal; None while it runs."""
        if self.returncode is None and select.select([self._answers], [], [], 0)[0]:
            self.returncode = int(self._lines.readline())
        return self.returncode

    def wait(self, timeout=None):
        if self.returncode is None and not select.select([self._answers], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(self.args, timeout)
        return self.poll()

    def send_signal(self, signal):
        if self.poll() is None:
            os.kill(self.pid, signal)

    def kill(self):
        self.send_signal(9)

    def communicate(self, timeout=None):
        """What it writes until it ends, as text."""
        end = time.monotonic() + (timeout or 1e9)
        texts = {stream: [] for stream in (self.stdout, self.stderr) if stream}
        unfinished = list(texts)
        while unfinished:
            ready, _, _ = select.select(unfinished, [], [], max(0, end - time.monotonic()))
            if not ready:
                raise subprocess.TimeoutExpired(self.args, timeout)
            for stream in ready:
                piece = os.read(stream.fileno(), 1 << 16)
                texts[stream].append(piece)
                if not piece:
                    unfinished.remove(stream)
        self.wait(max(0, end - time.monotonic()))
        self.close()
        out, err = (
            b"".join(texts[stream]).decode().replace("\r\n", "\n") if stream else None
            for stream in (self.stdout, self.stderr)
        )
        return out, err

    def close(self):
        for each in (self.stdout, self.stderr, self._lines, self._answers):
            if each:
                each.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wait()
        self.close()


class Server:
    """The process to fork from, in that plain environment, with further modules imported.

    Its PYTHONPATH may be another: the catalogue reads the names of plugins once.
    """

    def __init__(self, modules, path):
        self.plain = PLAIN | ({"PYTHONPATH": path} if path else {})
        self._folder = tempfile.TemporaryDirectory()
        self._orders, theirs = socket.socketpair()
        script = Path(__file__).with_name("fork_server.py")
        words = [sys.executable, script, str(theirs.fileno()), self._folder.name, *modules]
        self._process = subprocess.Popen(
            words, env=self.plain, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
        )
        theirs.close()
        assert self._orders.recv(1), "the server ended while it imported"

    def suits(self, environment):
        """Whether imports under this environment would have done the same."""
        names = {*environment, *self.plain} - _READ_LATE
        return all(environment.get(name) == self.plain.get(name) for name in names)

    def start(self, words, environment, folder=None, stdout=None, stderr=None):
        """Start `imrep WORDS`; streams are file numbers, pipes that the process holds if None."""
        ours, theirs = socket.socketpair()
        pipes, ends = [], []
        for stream in (stdout, stderr):
            read, write = os.pipe() if stream is None else (None, os.dup(stream))
            pipes.append(os.fdopen(read, "rb", 0) if stream is None else None)
            ends.append(write)
        with Path(os.devnull).open("rb") as nothing, theirs:
            handles = [nothing.fileno(), *ends, theirs.fileno()]
            socket.send_fds(self._orders, [b"."], handles)
        for end in ends:
            os.close(end)
        order = {"words": [IMREP, *words], "environment": dict(environment)}
        order["folder"] = str(Path(folder or "").absolute())
        ours.sendall(json.dumps(order).encode() + b"\n")
        return Process([IMREP, *words], ours, *pipes)

    def close(self):
        self._orders.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(60)
        self._folder.cleanup()
