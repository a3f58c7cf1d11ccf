"""`export`: one file for production from a representation or a saved model."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imrep import adapters, datasets, images, weights
from imrep.api.data import source
from imrep.base import Representation
from imrep.io.names import as_path
from imrep.models import saved
from imrep.types import Progress

if TYPE_CHECKING:
    from imrep.datasets import Item
    from imrep.exporting.export import ExportedFile
    from imrep.exporting.running import ExportedModel


def export(
    representation: str | Path | Representation,
    out: str | Path,
    *,
    size: int | None = None,
    check_on: Any = None,
    download: bool = False,
    progress: Progress | None = None,
) -> "ExportedFile":
    """Write one file from pixels to vectors or classes, for ONNX Runtime or torch alone.

    It takes RGB squares (batch, size, size, 3) uint8, of any batch, and has what happens to them
    inside: scaling to [0, 1], normalisation, the network or the transform, pooling. Of a saved
    model it gives probabilities. It is run on real images and compared with imrep's own numbers
    before it gets its name.

    Args:
        representation: A spec, a representation, or the folder of a model that `compare` saved.
        out: The file: .onnx, or .pt2 for torch.export.
        size: Side of the squares in pixels; None for the network's own, else 64.
        check_on: Images to compare on, as `embed` takes them; None for photographs that come with
            imrep's dependencies.
        download: Whether published weights that are not on this machine are fetched.
        progress: Called with a phrase, the number done, and all.

    Returns:
        An `ExportedFile`: path, metadata, agreement, bytes, opset, input_shape, output_shape.

    Raises:
        BadParameter: Another suffix; a computation that is no graph of fixed operations; or numbers
            that differ by more than a ten-thousandth of the largest.
        NotFitted: It has no codebook. Embed with it, and give the folder that embed writes.
        WeightsNeeded: Its weights are not on this machine.
        ExtraNeeded: A package is not installed.
        OSError: The system refuses to write.

    Example:
        >>> import imrep, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = imrep.export("pixels:side=4", f"{folder}/model.pt2", size=32)
        >>> file.input_shape, file.output_shape
        (('batch', 32, 32, 3), ('batch', 48))
    """
    from imrep.exporting import export as room

    out = as_path(out, "export", empty=False)
    items = _items(check_on)
    if isinstance(representation, str | Path) and saved.is_saved(Path(representation)):
        with weights.allow_download() if download else nullcontext():
            fitted = saved.read(Path(representation))
        room.check_size(size, fitted)
        return room.model(fitted, out, items=items, progress=progress)
    if isinstance(representation, Path):
        representation = str(representation)
    rep = adapters.resolve(representation, "export", download=download)
    return room.representation(rep, out, size=size, items=items, progress=progress)


def load_exported(path: str | Path) -> "ExportedModel":
    """A file of `export`: `squares(pixels)` and `of_items(items)` give its rows.

    Raises:
        BadFile: There is none, it is no model, or another program wrote it.
        BadParameter: Its suffix is another.
        ExtraNeeded: A package is not installed.
    """
    from imrep.exporting.running import ExportedModel

    return ExportedModel(as_path(path, "load_exported"))


def _items(data: Any) -> "Sequence[Item] | None":
    if data is None:
        return None
    origin = source(data, images.DEFAULT_READING, "export")
    return (origin if isinstance(origin, datasets.Dataset) else datasets.find(origin)).items
