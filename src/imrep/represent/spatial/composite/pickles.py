"""A restricted reader of OpenPifPaf's checkpoints, which are pickles of whole networks.

Such a pickle names classes and functions to call. Here none is ever imported or called: tensors are
rebuilt by the few lines below, classes of networks become inert objects that hold their state, and
any other name is refused.
"""

import collections
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from imrep.errors import BadParameter

_DTYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
# What a network's pickle may name; none of it is imported.
_MODULES = ("openpifpaf", "torch.nn", "torchvision", "numpy")
_NAMES = {
    ("_codecs", "encode"),
    ("argparse", "Namespace"),
    ("builtins", "set"),
    ("builtins", "frozenset"),
    ("collections", "defaultdict"),
    ("torch", "Size"),
    ("torch", "device"),
    ("torch.torch_version", "TorchVersion"),
}
_FAULTS = (
    pickle.UnpicklingError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
)


class Inert:
    """An object of a class that is not imported: it holds its state, and does nothing.

    Args:
        arguments: What the pickle passed to its class.
    """

    origin = ""

    def __new__(cls, *arguments: Any, **named: Any) -> "Inert":
        """Any arguments are taken."""
        return super().__new__(cls)

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self.state: dict[str, Any] = {}

    def __setstate__(self, state: Any) -> None:
        content = state[1] if isinstance(state, tuple) and len(state) == 2 else state
        self.state = content if isinstance(content, dict) else {}

    def table(self, name: str) -> dict[str, Any]:
        """A dictionary of its state; empty where there is none of that name."""
        own = self.state.get(name)
        return own if isinstance(own, dict) else {}

    def __setitem__(self, key: Any, value: Any) -> None:
        """Items of a mapping are dropped."""

    def append(self, value: Any) -> None:
        """Items of a list are dropped."""

    def extend(self, values: Any) -> None:
        """Items of a list are dropped."""

    def add(self, value: Any) -> None:
        """Items of a set are dropped."""


class _Refused(Exception):
    """A name that the pickle must not hold."""


def read(path: Path, caller: str) -> Any:
    """The content of a checkpoint: tensors, plain values, and `Inert` objects for all others.

    Raises:
        BadParameter: If it is no such file, or names what is no part of a network, which the
            message then tells.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            records = {info.filename: info for info in archive.infolist()}
            pickled = [name for name in records if name.rpartition("/")[2] == "data.pkl"]
            if len(pickled) != 1:
                raise _fault(path, caller, "it is no archive that torch.save writes")
            reader = _Reader(archive, records, pickled[0])
            return reader.load()
    except _Refused as error:
        raise BadParameter(
            f"{caller} refuses to read {path.name}: its pickle names {error}, which is no part of "
            "a network and would be run by others. Use a file of which you know the origin."
        ) from None
    except zipfile.BadZipFile as error:
        raise _fault(path, caller, "it is no archive that torch.save writes") from error
    except OSError as error:
        raise _fault(path, caller, error.strerror or str(error)) from error
    except _FAULTS as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"
        raise _fault(path, caller, f"its pickle is damaged ({reason})") from error


class _Reader(pickle.Unpickler):
    """An unpickler that resolves names by the tables above and nothing else."""

    def __init__(
        self, archive: zipfile.ZipFile, records: dict[str, zipfile.ZipInfo], name: str
    ) -> None:
        self.archive, self.records = archive, records
        self.folder = name.removesuffix("data.pkl")
        self.storages: dict[str, Tensor] = {}
        self._check(name)
        super().__init__(archive.open(name))

    def find_class(self, module: str, name: str) -> Any:
        """A constructor of tensors, a storage's type, or an inert class."""
        module = "builtins" if module == "__builtin__" else module  # as protocol 2 has it
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if module == "torch._utils" and name in _REBUILDERS:
            return _REBUILDERS[name]
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        package = any(module == own or module.startswith(f"{own}.") for own in _MODULES)
        if not package and (module, name) not in _NAMES:
            raise _Refused(f"{module}.{name}")
        return type(name.rpartition(".")[2], (Inert,), {"origin": f"{module}.{name}"})

    def persistent_load(self, identity: Any) -> Tensor:
        """A storage, from its record in the archive."""
        kind, dtype, key, _, count = identity
        if kind != "storage" or not isinstance(dtype, torch.dtype) or not isinstance(key, str):
            raise ValueError(f"no storage: {identity!r}")
        if key not in self.storages:
            name = f"{self.folder}data/{key}"
            self._check(name)
            size = count * dtype.itemsize
            if count < 0 or self.records[name].file_size != size:
                raise ValueError(f"{name} has not {size} bytes")
            content = bytearray(self.archive.read(name))
            self.storages[key] = (
                torch.frombuffer(content, dtype=dtype) if content else torch.empty(0, dtype=dtype)
            )
        return self.storages[key]

    def _check(self, name: str) -> None:
        """torch.save compresses nothing, so that a record is no larger than the file."""
        if self.records[name].compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"{name} is compressed")


def _rebuild_tensor(storage: Tensor, offset: int, size: Any, stride: Any, *others: Any) -> Tensor:
    return torch.as_strided(storage, tuple(size), tuple(stride), offset).clone()


def _rebuild_parameter(tensor: Tensor, *others: Any) -> Tensor:
    return tensor


_REBUILDERS = {
    "_rebuild_tensor_v2": _rebuild_tensor,
    "_rebuild_parameter": _rebuild_parameter,
}


def _fault(path: Path, caller: str, reason: str) -> BadParameter:
    return BadParameter(
        f"{caller} cannot read weights from {path.name}: {reason}. Pass another file."
    )
