"""The encoding of a store on Ray: workers read and embed slices of the images, one process writes.

The process that was started compares data and store, gives out what is missing, and commits the
rows as they arrive (`store.update`). A worker never writes, so that nothing is doubled or left
behind when it is killed: another does its slice again. A worker that cannot read files which the
process itself reads is given no more; what nobody could do is named at the end.
"""

import os
import shutil
import socket
import sys
import tempfile
import time
import warnings
from collections.abc import Container, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from imrep.base import Representation
from imrep.datasets import Item
from imrep.embedding.shards import Settings
from imrep.errors import BadFile, BadParameter, ExtraNeeded, ImrepError, WorkersLost
from imrep.ops import parallel
from imrep.store import encoding
from imrep.store.encoding import ReadImage
from imrep.store.schedule import Schedule, slices

_GPU = "cuda"
_CONNECT = 10.0  # seconds until a cluster must answer
_POLL = 1.0  # seconds after which late slices are looked for


class Worker:
    """What runs in another process: it holds the representation, and embeds slices.

    Args:
        rep: The representation, fitted.
        stored: Digests whose vectors are stored.
        settings: How images are read and encoded, with the device of the worker.
        folder: To which the paths of images are relative, on every node.
    """

    def __init__(
        self, rep: Representation, stored: Container[str], settings: Settings, folder: str
    ) -> None:
        with suppress(OSError):  # on a node without it, only absolute paths can be read
            os.chdir(folder)
        self._rep = rep.to(settings.device).eval()
        self._stored, self._settings = stored, settings

    def encode(self, items: Sequence[Item]) -> list[ReadImage]:
        """The images of a slice, in order."""
        with parallel.one_thread(self._settings.threads):
            images = encoding.encode(items, self._rep, self._stored, self._settings)
            with closing(images):
                return list(images)


@dataclass(frozen=True)
class Encoder:
    """Stands for `encoding.encode` in `update.embed`.

    Args:
        workers: Processes that embed; None for one on each processor, or on each GPU.
        address: Of a Ray cluster; None for $RAY_ADDRESS, else Ray on this machine for this run.
        device: Where the workers compute: cpu, cuda, which takes a GPU for each, or auto: cuda
            where the cluster has GPUs.
        worker: What runs in them.
    """

    workers: int | None = None
    address: str | None = None
    device: str = "cpu"
    worker: type[Worker] = Worker

    def __call__(
        self,
        items: Sequence[Item],
        rep: Representation,
        stored: Container[str],
        settings: Settings,
    ) -> Generator[ReadImage, None, None]:
        """Every image with its vector, slice by slice as they are done.

        Raises:
            ExtraNeeded: Ray is not installed.
            BadParameter: The cluster cannot be reached, or has no GPU where one is needed.
            WorkersLost: Some slices were not done by any worker; all others were yielded.
        """
        if not items:
            return
        ray = require_ray()
        with _running(ray, self.address, self.workers):
            device, count, threads = self._share(ray)
            chosen = replace(settings, threads=threads, device=device)
            shared = ray.put(rep), ray.put(_frozen(stored)), ray.put(chosen)
            remote = ray.remote(num_cpus=threads, num_gpus=int(device == _GPU))(self.worker)
            parts = slices(len(items), count, settings.batch, settings.shard)
            pool = _Pool(
                ray, lambda: remote.remote(*shared, str(Path.cwd())), min(count, len(parts))
            )
            try:
                yield from _encode(pool, items, parts)
            finally:
                pool.close()

    def _share(self, ray: Any) -> tuple[str, int, int]:
        """The device, how many workers, and the threads of each, so that all fit the cluster."""
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        processors = [int(node.get("CPU", 0)) for node in nodes]
        gpus = int(sum(node.get("GPU", 0) for node in nodes))
        if self.device == _GPU and not gpus:
            raise BadParameter(
                "--device cuda needs a GPU in the Ray cluster, got none. Use --device cpu."
            )
        device = self.device if self.device != "auto" else _GPU if gpus else "cpu"
        slots = gpus if device == _GPU else max(sum(processors), 1)
        count = min(self.workers or slots, slots)
        threads = min(sum(processors) // count, *filter(None, processors), sum(processors))
        return device, count, max(1, threads)


def require_ray() -> Any:
    """The package Ray, told to send no statistics of its use.

    Raises:
        ExtraNeeded: It is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else it warns of its default
    try:
        import ray
    except ImportError as error:
        raise ExtraNeeded("--engine ray needs the package ray. pip install 'imrep[ray]'") from error
    return ray


class _Pool:
    """The workers by name, and the slices they were sent."""

    def __init__(self, ray: Any, start: Any, count: int) -> None:
        self.ray, self._start = ray, start
        self._actors = {name: start() for name in range(count)}
        self.sent: dict[Any, tuple[int, int]] = {}  # reference to (worker, slice)

    @property
    def names(self) -> list[int]:
        return list(self._actors)

    def send(self, name: int, number: int, items: Sequence[Item]) -> None:
        self.sent[self._actors[name].encode.remote(items)] = name, number

    def results(self) -> Iterator[tuple[int, int, Any]]:
        """(worker, slice, images or the error) of what is there within a second."""
        ready, _ = self.ray.wait(list(self.sent), num_returns=1, timeout=_POLL)
        for reference in ready:
            name, number = self.sent.pop(reference)
            try:
                yield name, number, self.ray.get(reference)
            except self.ray.exceptions.RayError as error:
                yield name, number, error

    def stop(self, name: int) -> None:
        """End a worker; what it was sent is forgotten."""
        self.sent = {ref: sent for ref, sent in self.sent.items() if sent[0] != name}
        with suppress(self.ray.exceptions.RayError):
            self.ray.kill(self._actors[name])

    def restart(self, name: int) -> None:
        self._actors[name] = self._start()

    def close(self) -> None:
        for name in self._actors:
            self.stop(name)


def _encode(pool: _Pool, items: Sequence[Item], parts: Sequence[range]) -> Iterator[ReadImage]:
    schedule = Schedule(len(parts), pool.names)
    while not schedule.is_over:
        for name, number in schedule.assign(time.monotonic()):
            part = parts[number]
            pool.send(name, number, items[part.start : part.stop])
        for name, number, result in pool.results():
            if isinstance(result, Exception):
                _recover(pool, schedule, name, number, result)
            elif reason := _cut_off(result):
                pool.stop(name)
                schedule.retire(name, reason)
            elif schedule.finish(name, number, time.monotonic()):
                yield from result
    if lost := schedule.unfinished():
        count = sum(len(parts[number]) for number in lost)
        number = min(lost)
        raise WorkersLost(
            f"{count:,} of {len(items):,} images, from {items[parts[number].start].path} on, were "
            f"not embedded: {lost[number]}. The others are stored. Repeat the command for the rest."
        )


def _recover(pool: _Pool, schedule: Schedule, name: int, number: int, error: Exception) -> None:
    """Have a slice done again after an error, by another worker where this one is gone."""
    if isinstance(error, pool.ray.exceptions.RayTaskError):
        cause = getattr(error, "cause", None)
        if isinstance(cause, ImrepError):  # it would be the same anywhere
            raise cause
        schedule.fail(name, number, " ".join(str(cause or error).split()))
        return
    pool.stop(name)
    if schedule.lose(name, "its worker died again and again"):
        pool.restart(name)


def _cut_off(images: Iterable[ReadImage]) -> str:
    """Why a worker is cut off from the data: it could not read what can be read here; else ""."""
    for image in images:
        if image.reason and not image.digest and not image.item.refused:
            with suppress(BadFile):
                image.item.read()
                return f"a worker could not read it ({image.reason.rstrip('.')})"
    return ""


def _frozen(stored: Container[str]) -> frozenset[str]:
    return frozenset(stored) if isinstance(stored, Iterable) else frozenset()


@contextmanager
def _running(ray: Any, address: str | None, workers: int | None) -> Iterator[None]:
    """A context with a connection to Ray; Ray on this machine ends with it and leaves no file."""
    if ray.is_initialized():
        yield
        return
    address = address or os.environ.get("RAY_ADDRESS")
    quiet = {"logging_level": "ERROR", "log_to_driver": False}
    folder = None
    try:
        if address:
            _connect(ray, address, quiet)
        else:
            # paths of sockets have at most 107 characters, so that no long folder will do
            short = None if sys.platform == "win32" else "/tmp"
            folder = tempfile.mkdtemp(prefix="imrep-", dir=short)
            with warnings.catch_warnings():  # Ray forks only to begin other programs
                warnings.filterwarnings("ignore", "lance is not fork-safe")
                ray.init(
                    "local", num_cpus=workers, include_dashboard=False, _temp_dir=folder, **quiet
                )
        yield
    finally:
        ray.shutdown()
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def _connect(ray: Any, address: str, options: dict[str, Any]) -> None:
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        if host and port.isdigit():  # Ray itself would try for minutes
            socket.create_connection((host, int(port)), timeout=_CONNECT).close()
        ray.init(address=address, **options)
    except (OSError, ValueError, RuntimeError) as error:
        raise BadParameter(
            f"--engine ray needs a running cluster, got none at {address}. Start it with "
            "'ray start --head', or leave the address out."
        ) from error
