"""The interface: an image becomes a code; a code becomes a vector, an image, a picture."""

import copy
import functools
import hashlib
import inspect
import itertools
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn
from typing_extensions import TypeVar

from imrep import checks, codecheck
from imrep.codes import Code, Views, side_by_side
from imrep.drawing import draw, stack
from imrep.errors import BadImage, BadParameter, NoInverse, NotFitted
from imrep.io.files import write_atomic, write_text
from imrep.io.names import as_path
from imrep.ops import parallel
from imrep.registry import catalog, signatures, specs
from imrep.registry.cards import Card, Inverse
from imrep.types import Batches, Image, Picture, Vectors

C = TypeVar("C", bound=Code, default=Any)  # `Representation` alone is one of any code

_BLANK = 64  # side of the image that `dim` is found with


class Representation(nn.Module, ABC, Generic[C]):
    """A way to represent an image.

    Subclasses live one to a file, take keyword-only arguments with literal defaults, keep each
    under its own name, and implement `encode`. They may implement `invert`, and may replace `pool`
    and `picture` where the code's own default is not the right one.
    """

    card: ClassVar[Card]
    name: ClassVar[str]  # the file's stem, or what a plugin's entry point calls it
    renamed: ClassVar[dict[str, str]] = {}  # old names of parameters to present ones, a literal
    example: ClassVar[str] = ""  # a literal spec that builds offline; "" for the name alone
    _code_kind: ClassVar[type[Code]] = Code  # of code that it gives, from its base's parameter
    _pool_unchecked: Callable[..., Tensor]  # `pool`, for what `encode` has just given
    eager_only: ClassVar[str] = ""  # why torch.compile cannot run it, where it cannot
    canvas: int | None = None  # the square it wants, where it wants one (networks)
    _folder: str = ""  # what `catalog.load` rebuilt it from, as a spec writes it

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        if "name" not in cls.__dict__:
            script = cls.__module__ == "__main__"  # which has no name to go by
            cls.name = cls.__name__.lower() if script else catalog.name_of(cls.__module__)
        cls._code_kind = codecheck.kind(cls) or cls._code_kind
        for method, function in tuple(cls.__dict__.items()):
            if codecheck.takes_a_code(method, function):
                setattr(cls, method, codecheck.checked(function))
        cls._pool_unchecked = getattr(cls.pool, "unchecked", cls.pool)
        if "renamed" in cls.__dict__ and "__init__" in cls.__dict__:
            setattr(cls, "__init__", _with_old_names(cls.__init__))  # noqa: B010

    @abstractmethod
    def encode(self, image: Image) -> C:
        """The code of each image in the batch; channels, dtype, device and gradient are kept."""

    @codecheck.checked
    def pool(self, code: C) -> Vectors:
        """One vector per image; its length does not depend on the image's size.

        Raises:
            BadCode: If the code is of another kind, other parameters, or holds NaN or infinity.
        """
        return code.pool()

    def embed(self, image: Image) -> Vectors:
        """`pool(encode(image))`, gray repeated to three channels so that `dim` is one number."""
        checks.image(image, self.name)
        return self._pool_unchecked(self.encode(image.expand(-1, 3, -1, -1)))

    def forward(self, image: Image) -> Vectors:
        """`embed`, so that a representation can stand in `nn.Sequential`."""
        return self.embed(image)

    def invert(self, code: C) -> Image:
        """The image a code came from, as nearly as the code allows, from the code alone.

        Raises:
            NoInverse: Where the representation has no inverse of its own.
            BadCode: If the code is of another kind, other parameters, or holds NaN or infinity.
        """
        remedy = (
            "`imrep invert IMAGE SPEC` goes by gradient."
            if self.differentiable
            else "No gradient reaches the image either; `imrep list` shows what has one."
        )
        raise NoInverse(f"{self.name} has no inverse of its own. {remedy}")

    @codecheck.checked
    def picture(self, code: C, image: Image | None = None) -> Picture:
        """The code drawn for the eye, over the image where that helps; (b, 3, rows, columns).

        Raises:
            BadCode: If the code is of another kind, other parameters, or holds NaN or infinity.
            BadImage: If the image is not the one that the code came from, by its shape.
        """
        return draw(code, image)

    def check_code(self, code: C) -> None:
        """Refuse a code whose shapes these parameters cannot have made; the default refuses none.

        It runs before `pool`, `invert` and `picture`, after what is asked of every code of this
        kind: types, axes, one batch for all tensors.

        Raises:
            BadCode: Naming what is needed and what came.
        """

    @property
    def inverse(self) -> Inverse:
        """What `invert` does at these parameters: "exact", "approximate" or "none"."""
        return self.card.inverse

    @property
    def differentiable(self) -> bool:
        """Whether gradients reach the image at these parameters."""
        return self.card.differentiable

    @property
    def needs_fit(self) -> bool:
        """Whether `fit` must be called before there are vectors."""
        return False

    @property
    def dim(self) -> int:
        """Length of `embed`'s vectors, found by embedding a blank image."""
        like = next(itertools.chain(self.parameters(), self.buffers()), torch.empty(0))
        like = like if like.dtype in checks.DTYPES else like.float()
        side = self.canvas or _BLANK
        with torch.no_grad():
            return self.embed(like.new_zeros(1, 3, side, side)).shape[1]

    @property
    def spec(self) -> str:
        """The shortest string from which `imrep.get` rebuilds this object.

        Paths are as they were given; of a representation that came from a folder, it is the
        folder. `fingerprint` tells the numbers apart, wherever they lie.
        """
        return self._folder or self._short_spec(self.get_params())

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits of the spec, the revision and the weights; what a store remembers."""
        digest = hashlib.blake2b(f"{self._identity()}@{self.card.revision}".encode(), digest_size=6)
        for key, value in sorted(self.state_dict().items()):
            digest.update(f"{key} {value.dtype} {tuple(value.shape)}".encode())
            digest.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
        return digest.hexdigest()

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Constructor arguments by name, as scikit-learn asks for them."""
        return {key: getattr(self, key) for key in self._signature()}

    def set_params(self, **params: Any) -> "Representation":
        """Rebuild in place with some arguments changed; what was fitted or loaded is lost.

        Raises:
            BadParameter: If an argument does not exist, has another type, or is out of range; the
                representation is then as it was.
        """
        known = self._signature()
        params = signatures.current(params, self.renamed, self.name)
        if unknown := sorted(params.keys() - known.keys()):
            takes = ", ".join(known) or "none"
            raise BadParameter(f"{self.name} has no parameter {unknown[0]!r}; it takes {takes}")
        for key, given in params.items():
            annotation = inspect.formatannotation(known[key].annotation)
            specs.check_type(given, annotation, self.name, key)
        self.__dict__ = type(self)(**{**self.get_params(), **params}).__dict__
        return self

    def __sklearn_clone__(self) -> "Representation":
        """A copy that keeps loaded weights, which rebuilding from the parameters would lose."""
        return copy.deepcopy(self)

    def save(self, folder: str | Path) -> Path:
        """Write `config.json` and `weights.safetensors`, from which `imrep.load` rebuilds it."""
        folder = as_path(folder, "save", "a folder", empty=False)
        config = {"spec": self._blank_spec(), "fingerprint": self.fingerprint}
        state = {key: value.contiguous() for key, value in self.state_dict().items()}
        write_atomic(folder / "weights.safetensors", save(state))
        write_text(folder / "config.json", json.dumps(config, indent=2) + "\n")
        return folder

    def load_weights(self, folder: str | Path) -> "Representation":
        """Load what `save` wrote into `folder`.

        Raises:
            BadParameter: If the file is absent or its tensors do not fit these parameters.
        """
        path = as_path(folder, "load_weights", "a folder") / "weights.safetensors"
        try:
            self.load_state_dict(load_file(path))
        except (OSError, RuntimeError, SafetensorError) as error:
            reason = " ".join(str(error).split())
            raise BadParameter(f"{self.spec} cannot load {path.name}: {reason}") from error
        return self

    def _check_all(self, code: Any) -> None:
        """All that is asked of a code: kind, shapes, what the parameters want, numbers."""
        codecheck.structure(code, self._code_kind, self.name)
        self.check_code(code)
        codecheck.numbers(code, self.name)

    def extra_repr(self) -> str:
        return ", ".join(f"{k}={v!r}" for k, v in self.get_params().items())

    def _written(self) -> dict[str, Any]:
        """Parameters as the fingerprint knows them: weights by their digest, not their path."""
        return self.get_params()

    def _identity(self) -> str:
        """The spec that enters the fingerprint: no path, no folder."""
        return self._short_spec(self._written())

    def _blank_spec(self) -> str:
        """The spec `load` builds from before it loads the weights."""
        return self._short_spec(self.get_params())

    def _short_spec(self, params: dict[str, Any]) -> str:
        defaults = {key: p.default for key, p in self._signature().items()}
        return specs.write(self.name, {k: v for k, v in params.items() if v != defaults[k]})

    @classmethod
    def _signature(cls) -> dict[str, inspect.Parameter]:
        """Constructor arguments; without a constructor of its own, nn.Module's *args are none."""
        found = inspect.signature(cls).parameters
        unnamed = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        return {key: p for key, p in found.items() if p.kind not in unnamed}


def _with_old_names(init: Callable[..., None]) -> Callable[..., None]:
    """A constructor that takes renamed parameters by their old names too, with a warning."""

    @functools.wraps(init)  # `inspect.signature` sees the present names
    def constructor(self: Representation, *args: Any, **params: Any) -> None:
        init(self, *args, **signatures.current(params, self.renamed, self.name))

    return constructor


class Fitted(Representation[C]):
    """A representation that looks at images, without labels, before it gives vectors.

    `encode` works unfitted; `embed` raises `NotFitted`. What is learned lies in buffers, so that
    `save`, `load` and the fingerprint cover it.
    """

    @abstractmethod
    def fit_codes(self, codes: Sequence[C]) -> None:
        """Learn from codes of images, each of any batch size."""

    @property
    @abstractmethod
    def fitted(self) -> bool:
        """Whether `fit` or `load_weights` has been called."""

    @property
    def needs_fit(self) -> bool:
        """Whether it is still unfitted."""
        return not self.fitted

    def fit(self, images: Image | Batches) -> None:
        """Learn from a batch of images, or from batches of different sizes."""
        if not isinstance(images, Iterable):
            raise BadImage(
                f"{self.name} needs images to learn from, got {type(images).__name__}. "
                "Pass a batch, or a list of batches."
            )
        batches = [images] if isinstance(images, Tensor) else images

        def encode(batch: Image) -> C:
            with torch.no_grad():  # a thread has its own
                return self.encode(checks.image(batch, self.name).expand(-1, 3, -1, -1))

        with parallel.one_thread() as threads:
            codes = list(
                parallel.ordered_map(
                    encode,
                    batches,
                    threads if self._on_processor() else 1,
                    weight=lambda b: b.numel() // 3 if isinstance(b, Tensor) else 0,
                    limit=parallel.PIXELS,
                )
            )
            if not codes:
                raise BadImage(f"{self.name} needs images to learn from, got none. Pass a batch.")
            self.fit_codes(codes)
        self._folder = ""  # whose numbers are no longer these

    def _on_processor(self) -> bool:
        tensors = itertools.chain(self.buffers(), self.parameters())
        return all(tensor.device.type == "cpu" for tensor in tensors)

    def __sklearn_clone__(self) -> "Representation":
        """An unfitted one with the same parameters, so that no fold sees what another learned."""
        return type(self)(**self.get_params())

    def _need_fit(self) -> None:
        if not self.fitted:
            raise NotFitted(
                f"{self.name} needs images to fit its codebook on, got none. "
                "Call fit(images), or load a fitted one with imrep.load(folder)."
            )


class Learned(Representation[C]):
    """A representation whose weights come from descending a loss."""

    @abstractmethod
    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """Scalar to minimise on one batch: `image` (b, c, h, w), `label` (b,) where known."""


class Bilingual(Representation[C]):
    """A representation whose vectors share their space with those of words."""

    @abstractmethod
    def embed_text(self, texts: Sequence[str]) -> Vectors:
        """Vectors of sentences, (len(texts), dim), comparable with `embed`'s."""


class Sum(Representation[Views]):
    """Several representations side by side, written `a+b`; each vector is divided by its length."""

    card = Card(title="Sum of views", family="sum", cite="")
    name = "sum"

    def __init__(self, views: tuple[Representation, ...]) -> None:
        super().__init__()
        self.views = views
        self.members = nn.ModuleList(views)
        self.canvas = max((view.canvas for view in views if view.canvas), default=None)

    @property
    def spec(self) -> str:
        """The views' specs, joined by a plus, or the folder it came from."""
        return self._folder or "+".join(view.spec for view in self.views)

    @property
    def differentiable(self) -> bool:
        """Whether gradients reach the image through any view."""
        return any(view.differentiable for view in self.views)

    @property
    def dim(self) -> int:
        """The views' lengths, added."""
        return sum(view.dim for view in self.views)

    @property
    def needs_fit(self) -> bool:
        """Whether a view does."""
        return any(view.needs_fit for view in self.views)

    def fit(self, images: Image | Batches) -> None:
        """Fit every view that learns from images."""
        several = isinstance(images, Iterable) and not isinstance(images, Tensor)
        batches = list(images) if several else images
        for view in self.views:
            if isinstance(view, Fitted):
                view.fit(batches)

    def check_code(self, code: Views) -> None:
        """As many codes as there are views, each of which checks its own.

        Raises:
            BadCode: If they are not.
        """
        codecheck.views(code, self.views, self.spec)

    def encode(self, image: Image) -> Views:
        """One code per view."""
        return Views(tuple(view.encode(image) for view in self.views))

    def pool(self, code: Views) -> Vectors:
        """The views' vectors, each of length one, side by side."""
        pairs = zip(self.views, code.codes, strict=True)
        return side_by_side([view._pool_unchecked(part) for view, part in pairs])

    def picture(self, code: Views, image: Image | None = None) -> Picture:
        """The views' pictures, one above the other."""
        pairs = zip(self.views, code.codes, strict=True)
        return stack([view.picture(part, image) for view, part in pairs])

    def set_params(self, **params: Any) -> "Representation":
        """A sum has no parameters of its own.

        Raises:
            BadParameter: Always, unless nothing is asked for.
        """
        if params:
            raise BadParameter(f"{self.spec} is a sum; build its views anew instead.")
        return self

    def __sklearn_clone__(self) -> "Representation":
        return Sum(tuple(view.__sklearn_clone__() for view in self.views))

    def _identity(self) -> str:
        return "+".join(view._identity() for view in self.views)

    def _blank_spec(self) -> str:
        return "+".join(view._blank_spec() for view in self.views)
