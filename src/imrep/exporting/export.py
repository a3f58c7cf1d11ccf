"""A representation or a saved model becomes one file that needs no imrep.

The graph is traced, written in the format of the suffix, run by that format's own runtime on real
images, and compared with imrep's numbers; only then does the file get its name.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from imrep import images
from imrep.base import Representation, Supervised
from imrep.datasets import Item
from imrep.errors import BadParameter
from imrep.exporting import agreement, graphs, onnx_file, torch_file, tracing
from imrep.exporting.agreement import Agreement
from imrep.exporting.metadata import Metadata, Output
from imrep.io.files import check_writable, write_atomic
from imrep.models.fitted_classifier import FittedClassifier
from imrep.models.fitted_model import FittedModel
from imrep.models.fitted_regressor import FittedRegressor
from imrep.models.fitted_tagger import FittedTagger
from imrep.ops import parallel
from imrep.types import Progress

SIZE = 64  # of the squares, unless another is requested or the representation has its own
SUFFIXES = (".onnx", ".pt2")

_STAGES = ("tracing the graph", "writing the graph", "comparing on images")


@dataclass(frozen=True)
class ExportedFile:
    """What was written.

    Attributes:
        path: The file.
        metadata: What it says of itself.
        agreement: Its largest error on real images.
        bytes: Its size.
        opset: Of ONNX; None for .pt2.
    """

    path: Path
    metadata: Metadata
    agreement: Agreement
    bytes: int
    opset: int | None

    @property
    def input_shape(self) -> tuple[str | int, ...]:
        """RGB squares, uint8."""
        return ("batch", self.metadata.size, self.metadata.size, 3)

    @property
    def output_shape(self) -> tuple[str | int, ...]:
        """Rows of float32."""
        return ("batch", self.agreement.dim)


def representation(
    rep: Representation,
    out: Path,
    *,
    size: int | None = None,
    items: Sequence[Item] | None = None,
    reading: images.Reading = images.DEFAULT_READING,
    progress: Progress | None = None,
) -> ExportedFile:
    """Export a representation: squares in, vectors out.

    Args:
        rep: The representation, fitted where it is one that is fitted.
        out: The file, .onnx or .pt2.
        size: Side of the squares in pixels; None for its own, or 64.
        items: Images to compare on; None for photographs that come with imrep's dependencies.
        reading: How they become pixels.
        progress: Called with a phrase, the number done, and all.

    Raises:
        BadParameter: Another suffix, no graph of fixed operations, or an error above the tolerance.
        NotFitted: It has no codebook yet.
        ExtraNeeded: A package is not installed.
        OSError: The system refuses to write.
    """
    check_file(out)
    tracing.check([rep])
    if rep.canvas is not None and size not in (None, rep.canvas):
        raise BadParameter(
            f"{rep.spec} needs squares of {rep.canvas} pixels, got size {size}. Leave it out."
        )
    if isinstance(rep, Supervised):
        rep.require_training()
    rep = copy.deepcopy(rep).cpu().eval()
    side = rep.canvas or size or SIZE
    framed = rep.framed(reading)
    metadata = Metadata(
        spec=rep.spec,
        fingerprint=rep.fingerprint,
        size=side,
        crop=framed.crop,
        resampling=framed.resampling,
        data_range=reading.data_range,
    )
    pixels = agreement.squares(items, side, framed)
    graph = graphs.VectorGraph(rep).eval()

    def expected(squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            return rep.embed(images.batch(squares)).float().numpy()

    return _export(graph, metadata, pixels, expected, out, progress)


def model(
    fitted: FittedModel,
    out: Path,
    *,
    items: Sequence[Item] | None = None,
    reading: images.Reading = images.DEFAULT_READING,
    progress: Progress | None = None,
) -> ExportedFile:
    """Export a saved model: squares in, probabilities or a number out.

    Args:
        fitted: The model.
        out: The file, .onnx or .pt2.
        items: Images to compare on; None for photographs that come with imrep's dependencies.
        reading: How they become pixels.
        progress: Called with a phrase, the number done, and all.

    Raises:
        BadParameter: As for a representation; or the model has parts that one file cannot hold.
        ExtraNeeded: A package is not installed.
        OSError: The system refuses to write.
    """
    check_file(out)
    graphs.check_model(fitted)
    reps = [part.rep for part in fitted.parts if part.rep is not None]
    tracing.check(reps)
    for rep in reps:
        rep.cpu().eval()
    frame, (output, names) = fitted.frames[0], _answers(fitted)
    metadata = Metadata(
        spec=fitted.spec,
        fingerprint=fitted.identity,
        size=frame.size,
        crop=frame.crop,
        resampling=frame.resampling,
        output=output,
        names=names,
        data_range=fitted.data_range,
    )
    pixels = agreement.squares(items, frame.size, metadata.framed(reading))
    graph = graphs.ModelGraph(fitted).eval()
    return _export(graph, metadata, pixels, _predictions(fitted), out, progress)


def _answers(fitted: FittedModel) -> tuple[Output, tuple[str, ...]]:
    """The kind of the output, and its names."""
    if isinstance(fitted, FittedClassifier):
        return "class", fitted.classes
    if isinstance(fitted, FittedTagger):
        return "labels", fitted.labels
    assert isinstance(fitted, FittedRegressor)  # there is no other
    return "value", (fitted.target,)


def _predictions(fitted: FittedModel) -> agreement.Compute:
    """What `imrep predict` answers about squares."""

    def answers(squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            image = images.batch(squares)
            vectors = [part.rep.embed(image).float().numpy() for part in fitted.parts if part.rep]
        pairs = zip(fitted.parts, vectors, strict=True)
        scores = np.sum([part.scores(rows) for part, rows in pairs], axis=0)
        if isinstance(fitted, FittedClassifier | FittedTagger):
            return fitted.probabilities(scores).astype(np.float32)
        assert isinstance(fitted, FittedRegressor)
        return fitted.values(scores)[:, None].astype(np.float32)

    return answers


def check_file(out: Path) -> None:
    """Refuse, before any work is done, a name that cannot be written or a package that lacks."""
    if out.suffix not in SUFFIXES:
        raise BadParameter(
            f"models are exported as {' or '.join(SUFFIXES)}, got {out.name!r}. "
            f"Try {out.with_suffix('.onnx').name}."
        )
    check_writable(out)
    if out.suffix == ".onnx":
        onnx_file.require("export")


def check_size(size: int | None, fitted: FittedModel) -> None:
    """Refuse a size for a model, which has its own.

    Raises:
        BadParameter: With the model's.
    """
    sizes = [frame.size for frame in fitted.frames]
    if size is not None and sizes != [size]:
        text = " and ".join(map(str, sizes))
        raise BadParameter(f"{fitted.spec} needs squares of {text} pixels, got size {size}.")


def _export(
    graph: nn.Module,
    metadata: Metadata,
    pixels: NDArray[np.uint8],
    expected: agreement.Compute,
    out: Path,
    progress: Progress | None,
) -> ExportedFile:
    progress = progress or (lambda *_: None)
    stages = ((name, number) for number, name in enumerate(_STAGES))

    def begin() -> None:
        name, number = next(stages)
        progress(name, number, len(_STAGES))

    with parallel.one_thread():
        begin()
        program = tracing.trace(graph, metadata.size, metadata.spec)
        begin()
        content, run = _file_and_runner(program, metadata, out.suffix)
        begin()
        measured = agreement.measure(pixels, expected, run, metadata.spec)
    write_atomic(out, content)
    opset = onnx_file.OPSET if out.suffix == ".onnx" else None
    return ExportedFile(out, metadata, measured, len(content), opset)


def _file_and_runner(
    program: torch.export.ExportedProgram, metadata: Metadata, suffix: str
) -> tuple[bytes, Callable[[NDArray[np.uint8]], NDArray[np.float32]]]:
    """The bytes of the file, and what runs them."""
    if suffix == ".pt2":
        content = torch_file.content(program, metadata)
        return content, torch_file.Program(content)
    plain = tracing.without_complex(program, metadata.size)
    content = onnx_file.content(plain, metadata)
    return content, onnx_file.Session(content)
