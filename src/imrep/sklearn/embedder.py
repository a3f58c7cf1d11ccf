"""Representations as scikit-learn transformers: images in, one row of numbers each out."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from imrep import adapters, checks, factory, images
from imrep.base import Representation
from imrep.errors import BadImage
from imrep.ops import parallel

_NESTED = "representation__"  # prefix of the representation's own parameters
_MAX_BATCH = 2**20  # images
_WHITE = {torch.bool: 1, torch.uint8: 255, torch.uint16: 65535}


class Embedder(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A representation's vectors, for pipelines and grid searches.

    Images come as a list of file paths, bytes of files, PIL images, arrays (height, width[,
    channel]) or tensors (channel, height, width), of any sizes; or as one array (n, height, width[,
    channel]) or one tensor (n, channel, height, width). Bytes count to 255, 16-bit numbers to
    65,535, floating-point numbers to 1.

    Batches are encoded on as many threads as torch has (`torch.set_num_threads`), one thread each;
    the vectors do not depend on their number.

    A representation that learns from images learns in `fit`, always anew, so that no fold of a
    cross-validation sees another. Trained weights stay.

    Args:
        representation: A spec such as "hog:orientations=12", a representation, or a module or
            function from images (b, 3, h, w) to vectors (b, d). `representation__orientations` is a
            parameter of the first two, for `set_params` and searches.
        size: Files and PIL images are brought to size × size (antialiased, central square), or to
            the representation's own canvas where it has one. None keeps them as they are.
        batch: Limit for the images of one size that are embedded together.
        device: Where: "cpu", "cuda", "mps" …
        max_pixels: Largest width × height of a file that is decoded.
        data_range: Black and white of files and PIL images that do not say it, such as floats
            (`imrep.images.Reading`).

    Attributes:
        representation_: The representation that `fit` built.

    Example:
        >>> import numpy as np
        >>> from sklearn.linear_model import RidgeClassifier
        >>> from sklearn.pipeline import make_pipeline
        >>> dark, light = np.full((4, 8, 8, 3), 0.2), np.full((4, 8, 8, 3), 0.9)
        >>> model = make_pipeline(Embedder("pixels:side=2"), RidgeClassifier())
        >>> model.fit(np.concatenate([dark, light]), [0] * 4 + [1] * 4).predict(light[:1])
        array([1])
    """

    def __init__(
        self,
        representation: str | Representation | Callable[[Tensor], Any] = "hog",
        *,
        size: int | None = None,
        batch: int = 32,
        device: str = "cpu",
        max_pixels: int = images.MAX_PIXELS,
        data_range: tuple[float, float] | None = None,
    ) -> None:
        self.representation = representation
        self.size = size
        self.batch = batch
        self.device = device
        self.max_pixels = max_pixels
        self.data_range = data_range

    def fit(self, X: Any, y: Any = None) -> "Embedder":
        """Build the representation, and fit it to the images where it needs that.

        Raises:
            BadImage: If `X` is no collection of images.
            BadParameter: If the spec is wrong.
        """
        collection = _listed(X)
        if self.size is not None:
            checks.integer(self.size, 1, checks.MAX_SIDE, "Embedder", "size")
        checks.integer(self.batch, 1, _MAX_BATCH, "Embedder", "batch")
        rep = adapters.resolve(self.representation, "Embedder")
        built = rep if isinstance(self.representation, str) else rep.__sklearn_clone__()
        self.representation_ = built.to(self.device).eval()
        if built.needs_fit:
            with parallel.one_thread() as threads:
                built.fit(self._batches(collection, threads))  # type: ignore[operator]  # it has one
        self._n_features_out = self._dimensions(collection)
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Vectors (n, dim), float32, in the order of the images.

        Raises:
            BadImage: If `X` is no collection of images.
            BadFile: If a file cannot be read as an image.
        """
        check_is_fitted(self, "representation_")
        rep = self.representation_

        def embed(batch: Tensor) -> Tensor:
            with torch.no_grad():  # a thread has its own
                return rep.embed(batch).float().cpu()

        with parallel.one_thread() as threads:
            rows = parallel.ordered_map(
                embed,
                self._batches(_listed(X), threads),
                threads if torch.device(self.device).type == "cpu" else 1,
                weight=lambda batch: batch[:, 0].numel(),
                limit=parallel.PIXELS,
            )
            return torch.cat(list(rows)).numpy()

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """`hog0`, `hog1` …, one for each column of `transform`."""
        check_is_fitted(self, "representation_")
        name = self.representation_.name
        return np.array([f"{name}{i}" for i in range(self._n_features_out)], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        tags.no_validation = True
        return tags

    def set_params(self, **params: Any) -> "Embedder":
        """As in scikit-learn; `representation__cell` changes a spec too, which stays a spec.

        Raises:
            BadParameter: The representation has no such parameter, or it is out of its range.
        """
        spec = params.get("representation", self.representation)
        nested = {key: value for key, value in params.items() if key.startswith(_NESTED)}
        if isinstance(spec, str) and nested:
            changes = {key.removeprefix(_NESTED): value for key, value in nested.items()}
            changed = factory.get(spec).set_params(**changes)
            params = {key: value for key, value in params.items() if key not in nested}
            params["representation"] = changed.spec
        super().set_params(**params)
        return self

    def _dimensions(self, collection: Any) -> int:
        """Length of the vectors; of a function's, which may depend on size, by the first image."""
        rep = self.representation_
        if not isinstance(rep, adapters.Wrapped):
            return rep.dim
        with torch.no_grad(), parallel.one_thread() as threads:
            return rep.embed(next(self._batches(collection[:1], threads))).shape[1]

    def _batches(self, collection: Any, threads: int) -> Iterator[Tensor]:
        """Runs of images of one shape, at most `batch` long, in their order."""
        canvas = self.representation_.canvas or self.size
        reading = images.Reading(max_pixels=self.max_pixels, data_range=self.data_range)
        reading = self.representation_.framed(reading)
        arrays = isinstance(collection, np.ndarray | Tensor)  # nothing to decode
        tensors = parallel.ordered_map(
            lambda image: _tensor(image, canvas, reading), collection, 1 if arrays else threads
        )
        for _, run in itertools.groupby(tensors, key=lambda x: x.shape):
            while batch := list(itertools.islice(run, self.batch)):
                yield torch.stack(batch).to(self.device)


def _listed(collection: Any) -> Any:
    """The collection itself, if it is one and holds images."""
    if isinstance(collection, str | Path | bytes | Image.Image):
        raise BadImage(
            f"Embedder needs several images, got {_described(collection)}. Try [x]: a list of one."
        )
    if isinstance(collection, np.ndarray | Tensor) and collection.ndim == 2:
        raise BadImage(
            f"Embedder needs images, got an array {tuple(collection.shape)}. "
            "Try x.reshape(len(x), height, width)."
        )
    if isinstance(collection, np.ndarray) and collection.ndim == 4:
        _channels_last(collection.shape[1:], "x.transpose(0, 2, 3, 1)", "x[..., :3]")
    sized = hasattr(collection, "__len__")
    if isinstance(collection, type) or not (sized or isinstance(collection, Iterable)):
        raise BadImage(
            f"Embedder needs several images, got {_described(collection)}. Give a list of them."
        )
    collection = collection if sized else list(collection)
    if len(collection) == 0:
        raise BadImage("Embedder needs at least one image, got none. Leave the call out.")
    return collection


def _channels_last(shape: tuple[int, ...], transposed: str, opaque: str) -> None:
    """Refuse an array (height, width, channel) with another number of channels than 1 or 3."""
    if shape[2] in (1, 3):
        return
    remedy = (
        f"Channels first? Try {transposed}."
        if shape[0] in (1, 3)
        else f"Try {opaque}."
        if shape[2] == 4
        else "Choose 1 or 3 of them."
    )
    raise BadImage(
        f"Embedder needs arrays of 1 or 3 channels, the last axis, got {shape}. {remedy}"
    )


def _tensor(image: Any, canvas: int | None, reading: images.Reading) -> Tensor:
    """An image of any kind as (channel, height, width), floating."""
    if isinstance(image, Tensor):
        single = (
            image[0] if image.ndim == 4 and len(image) == 1 else image
        )  # as imrep.read gives it
        return _scaled(single[None] if single.ndim == 2 else single)
    if isinstance(image, np.ndarray):
        array = image[:, :, None] if image.ndim == 2 else image
        if array.ndim != 3:
            raise BadImage(
                f"Embedder needs arrays (height, width, channel), got {image.shape}. "
                "Try [a.squeeze() for a in x]."
            )
        _channels_last(array.shape, "[a.transpose(1, 2, 0) for a in x]", "[a[..., :3] for a in x]")
        return _scaled(torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1))))
    if not isinstance(image, str | Path | bytes | Image.Image):
        raise BadImage(
            f"Embedder needs paths, bytes, PIL images, arrays or tensors, got {_described(image)}. "
            "Try [numpy.asarray(image) for image in x]."
        )
    pixels, _ = images.square(image, canvas, **reading.canvas_keywords)
    return _scaled(torch.from_numpy(pixels.transpose(2, 0, 1)))


def _scaled(x: Tensor) -> Tensor:
    """Floats as they are; integers divided by the white of their type."""
    if x.is_floating_point():
        return x.float()
    if x.dtype not in _WHITE:
        remedy = checks.rescaling(x)
        raise BadImage(f"Embedder needs numbers in [0, 1] or bytes, got {x.dtype}. {remedy}.")
    return x.float() / _WHITE[x.dtype]


def _described(value: Any) -> str:
    return repr(value) if isinstance(value, str | Path) else _with_article(type(value).__name__)


def _with_article(noun: str) -> str:
    return f"{'an' if noun[0].lower() in 'aeiou' else 'a'} {noun}"
