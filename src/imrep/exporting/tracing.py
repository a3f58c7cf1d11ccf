"""A module as a graph of fixed operations, by torch.export, whose batch may have any length."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.export import Dim, ExportedProgram

from imrep.base import Representation, Sum
from imrep.embedding.compiling import reason, silently
from imrep.errors import BadParameter
from imrep.exporting import real_graph
from imrep.ops import native

_BATCH = 2  # of the squares that are traced: of one, torch takes the length for a constant


def check(reps: Sequence[Representation]) -> None:
    """Refuse a representation whose computation is no graph of fixed operations.

    Raises:
        BadParameter: With the reason.
    """
    for rep in reps:
        for view in rep.views if isinstance(rep, Sum) else (rep,):
            if view.no_graph:
                raise BadParameter(f"{view.name} cannot be exported: {view.no_graph}.")


def trace(graph: nn.Module, size: int, spec: str) -> ExportedProgram:
    """The graph of a module that takes squares (batch, size, size, 3) uint8.

    Raises:
        BadParameter: torch.export refuses it; the message has its reason.
    """
    squares = torch.arange(_BATCH * size * size * 3).remainder(251).to(torch.uint8)
    squares = squares.view(_BATCH, size, size, 3)
    with silently(), torch.no_grad():
        with native.torch_only():  # tables that are cached get numbers now, not a tracer's symbols
            graph(squares)
        try:
            return _traced(graph, squares)
        except Exception as error:  # of many kinds, most of them private to torch
            raise BadParameter(
                f"{spec} cannot be exported: torch.export says {reason(error)}"
            ) from error


def without_complex(program: ExportedProgram, size: int) -> ExportedProgram:
    """The same graph of real numbers alone, and of operations that ONNX has."""
    with silently(), torch.no_grad():
        plain = program.run_decompositions()
        if not real_graph.has_other_operations(plain):
            return program
        squares = torch.zeros(_BATCH, size, size, 3, dtype=torch.uint8)
        return _traced(real_graph.RealGraph(plain), squares)


def _traced(graph: nn.Module, squares: torch.Tensor) -> ExportedProgram:
    return torch.export.export(graph, (squares,), dynamic_shapes=({0: Dim("batch")},), strict=False)
