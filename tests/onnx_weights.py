"""Weights of an ONNX file by the names that the network had before: a reader of what tests need."""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types of protocol buffers
_GRAPH, _NODE, _INITIALIZER = 7, 1, 5  # fields of a model and of its graph
_FLOAT = 1  # a tensor's type


def nodes_and_tensors(file: Path) -> tuple[list[tuple[str, str, list[str]]], dict[str, np.ndarray]]:
    """Nodes as (operator, name, inputs), and the stored float32 arrays by name."""
    graph = next(
        value for field, value in _fields(memoryview(file.read_bytes())) if field == _GRAPH
    )
    nodes, tensors = [], {}
    for field, value in _fields(graph):
        if field == _NODE:
            nodes.append(_node(value))
        elif field == _INITIALIZER:
            name, array = _tensor(value)
            if array is not None:
                tensors[name] = array
    return nodes, tensors


def _node(data: memoryview) -> tuple[str, str, list[str]]:
    inputs = [_text(value) for field, value in _fields(data) if field == 1]
    texts = {field: _text(value) for field, value in _fields(data) if field in (3, 4)}
    return texts[4], texts.get(3, ""), inputs


def _tensor(data: memoryview) -> tuple[str, np.ndarray | None]:
    shape, name, kind, raw = [], "", 0, b""
    for field, value in _fields(data):
        if field == 1:
            shape += [value] if isinstance(value, int) else list(_varints(value))
        elif field == 2:
            kind = value
        elif field == 8:
            name = _text(value)
        elif field in (4, 9):
            raw = value
    return name, np.frombuffer(raw, "<f4").reshape(shape) if kind == _FLOAT else None


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        field, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, position = _varint(data, position)
        elif wire == _BYTES:
            size, position = _varint(data, position)
            value, position = data[position : position + size], position + size
        else:
            size = {_FIXED64: 8, _FIXED32: 4}[wire]
            form = {_FIXED64: "<q", _FIXED32: "<i"}[wire]
            (value,), position = struct.unpack_from(form, data, position), position + size
        yield field, value


def _varints(data: memoryview) -> Iterator[int]:
    position = 0
    while position < len(data):
        value, position = _varint(data, position)
        yield value


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return value, position


def _text(data: memoryview) -> str:
    return bytes(data).decode()
