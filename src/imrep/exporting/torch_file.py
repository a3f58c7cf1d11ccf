"""Exported graphs as torch's own .pt2: the bytes of a file, and a program that runs them."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind

from imrep.embedding.compiling import silently
from imrep.errors import BadFile
from imrep.exporting.metadata import Metadata

_FACTS = "imrep.json"
_TRACES = ("stack_trace", "source_fn_stack", "nn_module_stack")  # name files of this machine


def content(program: ExportedProgram, metadata: Metadata) -> bytes:
    """The bytes of a .pt2 file, without the tensors that the graph does not use."""
    _drop_unused(program)
    for module in program.graph_module.modules():
        if isinstance(module, torch.fx.GraphModule):
            for node in module.graph.nodes:
                for name in _TRACES:
                    node.meta.pop(name, None)
    file = io.BytesIO()
    with silently():
        torch.export.save(program, file, extra_files={_FACTS: json.dumps(metadata.texts)})
    return file.getvalue()


def _drop_unused(program: ExportedProgram) -> None:
    """Remove, in place, weights that nothing reads, such as those of another tower or a head."""
    signature = program.graph_signature
    nodes = program.graph.find_nodes(op="placeholder")
    for node, spec in zip(nodes, tuple(signature.input_specs), strict=True):
        if spec.kind is InputKind.USER_INPUT or spec.target is None or node.users:
            continue
        program.graph.erase_node(node)
        signature.input_specs.remove(spec)
        for tensors in (program.state_dict, program.constants):
            tensors.pop(spec.target, None)
    program.graph_module.recompile()


class Program:
    """A graph in torch, on the CPU."""

    def __init__(self, source: bytes | Path) -> None:
        """Load a graph.

        Raises:
            BadFile: It is none, or one of another version of torch.
        """
        name = "the graph" if isinstance(source, bytes) else source
        file = io.BytesIO(source if isinstance(source, bytes) else source.read_bytes())
        if not zipfile.is_zipfile(file):
            raise BadFile(f"{name} needs to be a file of torch.export, got no archive.")
        file.seek(0)
        extra = {_FACTS: ""}
        try:
            with silently():
                program = torch.export.load(file, extra_files=extra)
        except Exception as error:  # whatever torch meets in an archive of another origin
            reason = " ".join(str(error).split())
            raise BadFile(f"{name} is no model that torch {torch.__version__} reads: "
                          f"{reason[:200]}") from error  # fmt: skip
        self._facts = extra[_FACTS]
        self._module = program.module()

    @property
    def texts(self) -> dict[str, str]:
        """The metadata of the file."""
        try:
            facts = json.loads(self._facts or "{}")
        except ValueError:
            return {}
        return {str(name): str(value) for name, value in facts.items()}

    def __call__(self, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Output rows of squares (n, s, s, 3)."""
        with torch.inference_mode():
            output: NDArray[np.float32] = self._module(torch.from_numpy(squares)).numpy()
        return output
