"""Tensors of a TorchScript archive, as `torch.jit.save` writes it, without running its code.

OpenAI published CLIP in such archives. The program in one could write files, so that it is neither
compiled nor called: only the tree of modules and their tensors is read.
"""

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

_STORAGES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
_LISTS = ("build_intlist", "build_tensorlist", "build_doublelist", "build_boollist")
_RECORD, _CODE = "data.pkl", "code/"


class _Module:
    """A module's attributes by their names."""

    def __setstate__(self, attributes: Any) -> None:
        if not isinstance(attributes, dict):
            raise pickle.UnpicklingError("a module without attributes")
        self.attributes: dict[str, Any] = attributes


def is_archive(file: Path) -> bool:
    """Whether a file is an archive of TorchScript, and no file of `torch.save`."""
    if not zipfile.is_zipfile(file):
        return False
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
    return any(f"/{_CODE}" in name for name in names) and bool(_root(names))


def read(file: Path) -> dict[str, Tensor]:
    """The tensors of its modules by their names, as in a state dict.

    Raises:
        UnpicklingError: It holds anything but modules, tensors, numbers, texts and lists.
        RuntimeError: A tensor lies outside its storage.
    """
    with zipfile.ZipFile(file) as archive:
        root = _root(archive.namelist())
        content = _Reader(archive, root).load()
    return dict(_tensors(content, ""))


class _Reader(pickle.Unpickler):
    """An unpickler that knows no class but those of a list, and calls none that it does not own."""

    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(io.BytesIO(archive.read(root + _RECORD)))
        self._archive, self._root = archive, root

    def find_class(self, module: str, name: str) -> Any:
        if module == "__torch__" or module.startswith("__torch__."):
            return _Module
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        allowed: dict[tuple[str, str], Callable[..., Any]] = {
            ("torch._utils", "_rebuild_tensor_v2"): _tensor,
            ("collections", "OrderedDict"): OrderedDict,
            **{("torch.jit._pickle", each): list for each in _LISTS},
        }
        if (module, name) not in allowed:
            # In the words of torch.load, which the message of the refusal quotes.
            raise pickle.UnpicklingError(f"GLOBAL {module}.{name} is not allowed")
        return allowed[module, name]

    def persistent_load(self, pid: Any) -> Tensor:
        kind, dtype, key, _device, count = pid
        if kind != "storage" or not isinstance(dtype, torch.dtype) or not isinstance(key, str):
            raise pickle.UnpicklingError("a storage of an unknown form")
        data = bytearray(self._archive.read(f"{self._root}data/{key}"))
        if len(data) != int(count) * dtype.itemsize:
            raise pickle.UnpicklingError(f"a storage of {len(data)} bytes for {count} numbers")
        return torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype)


def _tensor(
    storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_more: Any
) -> Tensor:
    return torch.as_strided(storage, size, stride, offset).clone()


def _tensors(module: Any, prefix: str) -> Iterator[tuple[str, Tensor]]:
    for name, value in getattr(module, "attributes", {}).items():
        if isinstance(value, Tensor):
            yield prefix + name, value
        elif isinstance(value, _Module):
            yield from _tensors(value, f"{prefix}{name}.")


def _root(names: list[str]) -> str:
    """The folder inside the archive that holds everything, with its slash; "" if there is none."""
    records = [name for name in names if name.count("/") == 1 and name.endswith(f"/{_RECORD}")]
    return records[0].removesuffix(_RECORD) if records else ""
