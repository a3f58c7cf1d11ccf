"""Tensors by name, from the files and folders that libraries and trainers write."""

import argparse
import json
import pickle
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from imrep.errors import BadParameter, WeightsNeeded
from imrep.weights import packages, torchscript

State = dict[str, Tensor]

_STANDARD = ("weights.safetensors", "model.safetensors", "pytorch_model.bin")
_INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_UNREADABLE = (OSError, RuntimeError, EOFError, ValueError, SafetensorError, BadZipFile)
# What unpickling other files raises.
_NO_PICKLE = (LookupError, TypeError, AttributeError, AssertionError, struct.error)
_POINTER = b"version https://git-lfs"
# The keys under which trainers store a network's tensors; averaged ones first, as in timm.
_WRAPPERS = ("state_dict_ema", "model_ema", "state_dict", "model_state_dict", "model")
_OF_A_RUN = "model"  # the folder that `imrep train` saves into
_LISTED = 3  # files that a message names


@dataclass(frozen=True)
class Checkpoint:
    """The content of a file or folder of weights.

    Args:
        state: Tensors by name, as in the file.
        name: The file's name in messages.
        config: The config.json beside the file; empty where there is none.
        processor: The preprocessor_config.json beside it, of transformers; likewise.
    """

    state: State
    name: str
    config: dict[str, Any] = field(default_factory=dict)
    processor: dict[str, Any] = field(default_factory=dict)

    @property
    def ours(self) -> bool:
        """Whether `Representation.save` wrote it."""
        return "spec" in self.config and all(key.startswith("network.") for key in self.state)


def read(path: str | Path, caller: str) -> State:
    """The tensors of a file, a folder or an installed package; see `checkpoint`."""
    return checkpoint(path, caller).state


def checkpoint(path: str | Path, caller: str) -> Checkpoint:
    """The content of a file, a folder or an installed package.

    Args:
        path: A folder that `Representation.save` wrote, or that of a training run; a snapshot of
            Hugging Face's hub or of timm (model.safetensors, pytorch_model.bin, or their shards);
            any folder with one file of weights; such a file (.safetensors, or anything that
            `torch.load(weights_only=True)` reads as a state dict, alone or inside a trainer's
            checkpoint, or an archive of TorchScript, whose code is not run); or the name of an
            installed package that holds one.
        caller: The name that messages start with.

    Raises:
        WeightsNeeded: If there is no such folder, file or package, or nothing in it.
        BadParameter: If it holds no tensors by name, or several files of weights.
    """
    files = _files(Path(path), caller)
    state: State = {}
    for file in files:
        state |= _load(file, caller)
    return replace(_described(files), state=state)


def described(path: str | Path, caller: str) -> Checkpoint:
    """The same without the tensors, which are not read.

    Raises:
        WeightsNeeded: If there is no such folder, file or package, or nothing in it.
        BadParameter: If it holds several files of weights.
    """
    return _described(_files(Path(path), caller))


def _described(files: list[Path]) -> Checkpoint:
    """Configurations belong to files of a standard name alone."""
    name = files[0].name
    if len(files) == 1 and name not in _STANDARD:
        return Checkpoint({}, name)
    config, processor = (
        _config(files[0].with_name(f"{start}config.json")) for start in ("", "preprocessor_")
    )
    return Checkpoint({}, name, config, processor)


def _files(path: Path, caller: str) -> list[Path]:
    """The file, or the shards, that a path or a package's name means."""
    if path.is_file():
        return [path]
    if path.is_dir():
        return _inside(path, caller)
    if inside := packages.locate(path.as_posix(), caller):
        return [inside]
    raise WeightsNeeded(
        f"{caller} needs weights, and {str(path)!r} is no folder, no file and no installed "
        "package. Pass weights=published, weights=random, or the path of a file or folder that "
        "holds some."
    )


def _inside(folder: Path, caller: str) -> list[Path]:
    for name in _STANDARD:
        if (folder / name).is_file():
            return [folder / name]
    for name in _INDEXES:
        if (folder / name).is_file():
            return _shards(folder / name, caller)
    if (folder / _OF_A_RUN / _STANDARD[0]).is_file():
        return [folder / _OF_A_RUN / _STANDARD[0]]
    files = sorted(path for path in folder.iterdir() if path.suffix in packages.SUFFIXES)
    if len(files) == 1:
        return files
    if not files:
        raise WeightsNeeded(
            f"{caller} needs weights, and {str(folder)!r} holds no weights.safetensors, no "
            "model.safetensors, no pytorch_model.bin and no other file of weights. "
            "Pass weights=published, weights=random, or a folder that `save` wrote."
        )
    raise BadParameter(
        f"{caller} needs one file of weights in {str(folder)!r}, got {len(files)}: "
        f"{', '.join(file.name for file in files[:_LISTED])}. Name one of them."
    )


def _shards(index: Path, caller: str) -> list[Path]:
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise BadParameter(f"{caller} cannot read {index.name}: {error}") from error
    files = [index.with_name(name) for name in names]
    absent = next((file.name for file in files if not file.is_file()), None)
    if absent or not files:
        raise WeightsNeeded(
            f"{caller} needs every file that {index.name} names, got no {absent}. Copy it there."
        )
    return files


def _config(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _load(file: Path, caller: str) -> State:
    try:
        if _start(file).startswith(_POINTER):
            raise BadParameter(
                f"{caller} cannot read weights from {file.name}: it is Git LFS's pointer to a "
                "file. Fetch that: git lfs pull."
            )
        if file.suffix == ".safetensors":
            return _state(load_file(file), file, caller)
        if torchscript.is_archive(file):
            return _state(torchscript.read(file), file, caller)
        # timm's trainer stores its command line, a Namespace, beside the tensors.
        with torch.serialization.safe_globals([argparse.Namespace]):
            content = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise BadParameter(
            f"{caller} cannot read weights from {file.name}: {_refused(error)}. "
            "Save model.state_dict() alone."
        ) from error
    except _NO_PICKLE as error:
        raise BadParameter(
            f"{caller} cannot read weights from {file.name}: it is no file of tensors. "
            "Save model.state_dict() alone."
        ) from error
    except _UNREADABLE as error:
        reason = " ".join(str(error).split())[:200]
        raise BadParameter(f"{caller} cannot read weights from {file.name}: {reason}") from error
    return _state(content, file, caller)


def _start(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(64)


def _refused(error: pickle.UnpicklingError) -> str:
    """Why a pickle was refused, without torch's advice to run it."""
    match = re.search(r"GLOBAL (\S+)", str(error))
    return f"it holds {match[1]}, not tensors alone" if match else "it is no file of tensors"


def _state(content: Any, file: Path, caller: str) -> State:
    while wrapped := next((w for w in _WRAPPERS if _holds(content, w)), None):
        content = content[wrapped]
    if isinstance(content, Mapping) and content:
        state = {str(key): value for key, value in content.items() if isinstance(value, Tensor)}
        if len(state) == len(content):
            return state
    kind = f"an empty {type(content).__name__}" if content in ({}, []) else type(content).__name__
    raise BadParameter(
        f"{caller} needs tensors by name in {file.name}, got {kind}. Save model.state_dict()."
    )


def _holds(content: Any, wrapper: str) -> bool:
    return isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping)
