"""Peak memory of encoding one batch, each representation in a process of its own.

One helper process imports torch, which is the idle import that is subtracted. For every
representation it forks a child that builds it, encodes a batch and prints how far its memory grew.
"""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence

_RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # ru_maxrss: bytes there, kilobytes elsewhere
_TIMEOUT = 120.0


def peaks(specs: Sequence[tuple[str, int]], threads: int) -> dict[str, int]:
    """Bytes above the idle import by spec, for (spec, side of its square images).

    A representation whose child fails, and every one on systems without fork, is absent.
    """
    if not specs or not hasattr(os, "fork"):
        return {}
    command = [sys.executable, "-m", "imrep.embedding.peak_memory"]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    try:
        done = subprocess.run(
            command,
            input=json.dumps(list(specs)),
            env=environment,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {}
    return dict(json.loads(line) for line in done.stdout.splitlines())


def _growth(spec: str, size: int) -> int:
    """Growth of this process, in bytes, while it encodes one batch of noise."""
    import numpy as np

    from imrep import factory, images
    from imrep.embedding import batching

    before = _peak()  # right after the fork: the memory of the idle import
    rep = factory.get(spec)
    count = batching.images_per_batch(size)
    noise = np.random.default_rng(0).integers(0, 256, (count, size, size, 3), np.uint8)
    rep.encode(images.batch(noise))
    return max(0, _peak() - before)


def _peak() -> int:
    import resource  # not on Windows, where there is no fork either

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT


def _serve() -> None:
    import torch

    importlib.import_module("imrep.embedding.encode")  # once, so that no child pays for it
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    for spec, size in json.loads(sys.stdin.read()):
        sys.stdout.flush()  # a child would otherwise write the parent's buffer again
        if child := os.fork():
            os.waitpid(child, 0)
            continue
        status = 1
        try:
            line = json.dumps([spec, _growth(spec, size)])
            os.write(1, line.encode() + b"\n")
            status = 0
        finally:
            os._exit(status)  # no clean-up of what the parent still uses


if __name__ == "__main__":
    _serve()
