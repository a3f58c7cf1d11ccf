"""Codes on disk: a safetensors file each, with the kind and its plain fields as metadata.

Points can also be written as csv or json, for other programs.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from imrep import codes
from imrep.codes import Code, Points
from imrep.errors import BadParameter
from imrep.io.files import write_atomic, write_text


def write(code: Code, path: Path) -> None:
    """Write a code (not `Views`, whose parts are written one by one), complete or not at all."""
    plain = {
        field.name: getattr(code, field.name)
        for field in fields(code)
        if not _holds_tensors(getattr(code, field.name))
    }
    metadata = {"kind": type(code).__name__, "plain": json.dumps(plain)}
    tensors = {key: tensor.contiguous() for key, tensor in code.tensors().items()}
    write_atomic(path, save(tensors, metadata))


def read(path: Path) -> Code:
    """The code that `write` wrote."""
    values: dict[str, Any] = {}
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        for name in sorted(file.keys(), key=_field_and_index):
            field, dot, _ = name.partition(".")
            tensor = file.get_tensor(name)
            values[field] = (*values.get(field, ()), tensor) if dot else tensor
    for name, value in json.loads(metadata["plain"]).items():
        values[name] = _tuples(value)
    return getattr(codes, metadata["kind"])(**values)


def export(points: Points, path: Path) -> None:
    """Write the points that are present, complete or not at all, in the format of the suffix.

    In .csv there is a row for each with the index of its image and its `columns`; in .json the
    same as objects under "points", beside the "size" of the images, [height, width].

    Raises:
        BadParameter: If the suffix is neither.
    """
    if path.suffix not in _FORMATS:
        raise BadParameter(
            f"points are written as {', '.join(_FORMATS)}, got {path.name!r}. "
            f"Try {path.with_suffix('.csv').name!r}."
        )
    write_text(path, _FORMATS[path.suffix](points))


def _csv(points: Points) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["image", *points.columns()])
    writer.writerows(_rows(points))
    return text.getvalue()


def _json(points: Points) -> str:
    names = ["image", *points.columns()]
    rows = [dict(zip(names, row, strict=True)) for row in _rows(points)]
    return json.dumps({"size": points.size, "points": rows}, indent=1) + "\n"


_FORMATS: dict[str, Callable[[Points], str]] = {".csv": _csv, ".json": _json}


def _rows(points: Points) -> Iterator[list[float]]:
    """The index of the image, then the columns, in the shortest digits that restore float32."""
    present = points.present.cpu()
    columns = [column.detach().cpu()[present].numpy() for column in points.columns().values()]
    image = present.nonzero()[:, 0].tolist()
    for i, *numbers in zip(image, *columns, strict=True):
        yield [i, *(float(str(number)) for number in numbers)]


def _tuples(value: Any) -> Any:
    """JSON's lists as tuples."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _holds_tensors(value: Any) -> bool:
    return isinstance(value, Tensor) or (
        isinstance(value, tuple) and any(isinstance(part, Tensor) for part in value)
    )


def _field_and_index(name: str) -> tuple[str, int]:
    field, _, index = name.partition(".")
    return field, int(index or 0)
