"""Exported graphs as ONNX: the bytes of a file, and a session that runs them."""

import io
import logging
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.export import ExportedProgram

from imrep.errors import BadFile, ExtraNeeded
from imrep.exporting.metadata import Metadata

OPSET = 18
"""The first operator set with all that the graphs need; newer runtimes read it."""

_INPUT = "images"


def require(caller: str) -> None:
    """Refuse to start without the packages.

    Raises:
        ExtraNeeded: One is not installed.
    """
    try:
        import onnx
        import onnxruntime
        import onnxscript  # noqa: F401  # torch's exporter uses it
    except ImportError as error:
        raise ExtraNeeded(
            f"{caller} needs the package {error.name} for ONNX. pip install 'imrep[export]'"
        ) from error
    assert onnx and onnxruntime


def content(program: ExportedProgram, metadata: Metadata) -> bytes:
    """The bytes of an ONNX file.

    Raises:
        BadFile: They are over 2 GiB, which a file of ONNX cannot hold.
    """
    model = _converted(program, "vectors" if metadata.output == "vectors" else "answers")
    _clean(model.graph)
    for function in model.functions:
        _clean(function)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    model.producer_name, model.producer_version = "imrep", metadata.imrep
    model.doc_string = (
        f"{metadata.spec}: RGB squares of {metadata.size} × {metadata.size} pixels, uint8, to "
        f"{'vectors' if metadata.output == 'vectors' else metadata.output}."
    )
    for name, text in metadata.texts.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = name, text
    try:
        return bytes(model.SerializeToString())
    except ValueError as error:  # protobuf's limit
        raise BadFile(
            f"{metadata.spec} needs less than 2 GiB in an ONNX file, got more. Use .pt2."
        ) from error


class Session:
    """A graph in ONNX Runtime, on the CPU."""

    def __init__(self, source: bytes | Path, threads: int = 1) -> None:
        """Load a graph.

        Raises:
            BadFile: It is none, or one of a newer ONNX than the runtime's.
        """
        require("run")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                source if isinstance(source, bytes) else str(source),
                options,
                providers=["CPUExecutionProvider"],
            )
        except Exception as error:  # classes of the runtime's own, none of them public
            name = "the graph" if isinstance(source, bytes) else source
            reason = " ".join(str(error).split())
            raise BadFile(f"{name} is no model that ONNX Runtime reads: {reason[:200]}") from error

    @property
    def texts(self) -> dict[str, str]:
        """The metadata of the file."""
        return dict(self._session.get_modelmeta().custom_metadata_map)

    def __call__(self, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Output rows of squares (n, s, s, 3)."""
        output: NDArray[np.float32] = self._session.run(None, {_INPUT: squares})[0]
        return output


def _converted(program: ExportedProgram, output: str) -> Any:
    """The protocol buffer, without what the exporter prints and logs."""
    level = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            converted = torch.onnx.export(
                program,
                (),
                dynamo=True,
                verbose=False,
                opset_version=OPSET,
                input_names=[_INPUT],
                output_names=[output],
                optimize=False,  # its rules take x + 1e-8 for x; the runtime has its own
            )
            assert converted is not None
            return converted.model_proto
    finally:
        logging.disable(level)


def _clean(graph: Any) -> None:
    """Remove notes of the exporter, which name files of this machine."""
    for node in graph.node:
        del node.metadata_props[:]
        node.ClearField("doc_string")
    for value in graph.value_info:
        del value.metadata_props[:]
    if hasattr(graph, "metadata_props"):
        del graph.metadata_props[:]
    if hasattr(graph, "initializer"):
        for tensor in graph.initializer:
            del tensor.metadata_props[:]
