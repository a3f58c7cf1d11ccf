"""Run the command in children of one process that has imported what commands import.

Importing torch takes most of a short run's time. A child is a process like any other: it has
arguments, an environment, a folder and streams of its own, takes every signal, and SIGKILL leaves
it no time to tidy up. Two things are computed once for all children: the script that draws a
report's plots, which a machine caches, and the imports before memory is measured.

Its arguments are the number of a socket, over which `forked_command.py` asks for children, a folder
to keep the script in, and modules that only some commands need.
"""

import atexit
import gc
import importlib
import json
import os
import socket
import sys
import threading
import traceback
from pathlib import Path

MODULES = [
    *("torch", "sklearn.cluster", "skimage.metrics", "cv2", "scipy.stats", "pyarrow.parquet"),
    *("imrep.api", "imrep.comparison.state", "imrep.report", "imrep.embedding.vector_file"),
    *("imrep.cli.compare", "imrep.cli.embed", "imrep.cli.engine", "imrep.cli.screen"),
]


def run(order, streams):
    """Become the command, and end as it ends."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    sys.argv = order["words"]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    sys.stdin = os.fdopen(0, encoding="utf-8")
    sys.stdout = os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", errors="backslashreplace")
    os._exit(exit_status(order["words"][1:]))


def exit_status(words):
    """Run to the end that the interpreter comes to, except that it frees no memory."""
    from imrep.cli import main

    status = 0
    try:
        main(words)
    except SystemExit as end:
        status = end.code or 0
    except BaseException:
        traceback.print_exc()
        status = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def peaks(specs, threads):
    """`imrep.embedding.peak_memory.peaks`, whose children are forked from here."""
    from imrep.embedding import peak_memory

    measured = {}
    for spec, size in specs:
        ours, theirs = os.pipe()
        if not (child := os.fork()):
            try:
                os.write(theirs, b"%d" % peak_memory._growth(spec, size))
            finally:
                os._exit(0)
        os.close(theirs)
        with os.fdopen(ours, "rb") as pipe:
            answer = pipe.read()
        os.waitpid(child, 0)
        if answer:
            measured[spec] = int(answer)
    return measured


def share(folder):
    """Compute once for all children what does not depend on the command."""
    from imrep.embedding import peak_memory
    from imrep.report import inline

    peak_memory.peaks, bundle, stored = peaks, inline.vega, Path(folder, "vega.js")

    def vega():
        if not stored.exists():
            draft = stored.with_suffix(f".{os.getpid()}")
            draft.write_text(bundle(), encoding="utf-8")
            draft.replace(stored)
        return stored.read_text(encoding="utf-8")

    inline.vega = vega


def watch(answers, streams):
    """Start the command, say its number, and when it has ended its exit status."""
    order = json.loads(answers.makefile().readline())
    if not (child := os.fork()):
        answers.close()
        run(order, streams)
    for stream in streams:
        os.close(stream)
    answers.sendall(b"%d\n" % child)
    _, status = os.waitpid(child, 0)
    answers.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def serve(orders):
    """Start a child for every four handles: its three streams, and a socket for its order."""
    orders.sendall(b".")  # what is timed must not wait for the imports
    watchers = set()
    while handles := socket.recv_fds(orders, 1, 4)[1]:
        *streams, answers = handles
        if not (watcher := os.fork()):
            orders.close()
            watch(socket.socket(fileno=answers), streams)
        watchers.add(watcher)
        for handle in handles:
            os.close(handle)
        watchers -= {number for number in watchers if os.waitpid(number, os.WNOHANG)[0]}


if __name__ == "__main__":
    for name in [*MODULES, *sys.argv[3:]]:
        importlib.import_module(name)
    share(sys.argv[2])
    gc.collect()
    gc.freeze()  # no collection of a child looks at what was imported
    serve(socket.socket(fileno=int(sys.argv[1])))
