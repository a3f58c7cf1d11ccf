"""Codes on disk: one safetensors file each, with the kind and its plain fields as metadata."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from imrep import codes
from imrep.codes import Code


def write(code: Code, path: Path) -> None:
    """Write a code (not `Views`, whose parts are written one by one), whole or not at all."""
    plain = {
        field.name: getattr(code, field.name)
        for field in fields(code)
        if not _holds_tensors(getattr(code, field.name))
    }
    metadata = {"kind": type(code).__name__, "plain": json.dumps(plain)}
    tensors = {key: tensor.contiguous() for key, tensor in code.tensors().items()}
    new = path.with_name(path.name + ".new")
    save_file(tensors, new, metadata)
    new.replace(path)


def read(path: Path) -> Code:
    """The code that `write` wrote."""
    given: dict[str, Any] = {}
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        for name in sorted(file.keys(), key=_place):
            field, dot, _ = name.partition(".")
            tensor = file.get_tensor(name)
            given[field] = (*given.get(field, ()), tensor) if dot else tensor
    for name, value in json.loads(metadata["plain"]).items():
        given[name] = tuple(value) if isinstance(value, list) else value
    return getattr(codes, metadata["kind"])(**given)


def _holds_tensors(value: Any) -> bool:
    return isinstance(value, Tensor) or (
        isinstance(value, tuple) and any(isinstance(part, Tensor) for part in value)
    )


def _place(name: str) -> tuple[str, int]:
    field, _, index = name.partition(".")
    return field, int(index or 0)
