"""What every representation does: an image becomes a code, a code a vector, an image, a picture."""

import copy
import dataclasses
import functools
import inspect
import itertools
import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn
from typing_extensions import TypeVar

from imrep import checks, codecheck
from imrep.codes import Code
from imrep.drawing import draw
from imrep.errors import BadParameter, NoInverse
from imrep.io import tensor_digest
from imrep.io.digests import digest
from imrep.io.files import write_atomic, write_text
from imrep.io.names import as_path
from imrep.registry import catalog, signatures, specs
from imrep.registry.cards import Card, Inverse
from imrep.types import Image, Picture, Vectors

if TYPE_CHECKING:
    from imrep.images import Reading

C = TypeVar("C", bound=Code, default=Any)  # `Representation` alone is one of any code

_BLANK_SIDE = 64  # pixels; of the image that `dim` embeds


class Representation(nn.Module, ABC, Generic[C]):
    """An image representation: `encode` makes its code, `embed` its vector.

    Subclasses live one to a file or folder, take keyword-only arguments with literal defaults, keep
    each under its own name, and implement `encode`. They may implement `invert`, and may replace
    `pool` and `picture` where the default of the code's kind does not fit.
    """

    card: ClassVar[Card]
    name: ClassVar[str]  # the file's or folder's, or that of a plugin's entry point
    renamed: ClassVar[dict[str, str]] = {}  # old names of parameters to present ones, a literal
    aliases: ClassVar[dict[str, str]] = {}  # short names to parameters as in a spec, a literal
    example: ClassVar[str] = ""  # a literal spec that builds offline; "" for the name alone
    eager_only: ClassVar[str] = ""  # why torch.compile cannot run it, where it cannot
    no_graph: str = (
        ""  # why it is no graph of fixed operations, which export needs, where it is not
    )
    periodic: str = ""  # why opposite borders are neighbours, where they are
    canvas: int | None = None  # side of the square it needs (networks); None for any size
    crop: float = 1.0  # of the short side, that the canvas covers
    resampling: str = "bilinear"  # filter by which a file is resized to the canvas
    _code_kind: ClassVar[type[Code]] = Code  # the C of the base `Representation[C]`
    _pool_unchecked: Callable[..., Tensor]  # `pool` without checks, for fresh codes of `encode`
    _folder: str = ""  # the folder that `load` rebuilt it from, quoted as in a spec

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        if "name" not in cls.__dict__:
            script = cls.__module__ == "__main__"  # no file name of its own
            cls.name = cls.__name__.lower() if script else catalog.name_of(cls.__module__)
        cls._code_kind = codecheck.kind(cls) or cls._code_kind
        for method, function in tuple(cls.__dict__.items()):
            if codecheck.takes_a_code(method, function):
                setattr(cls, method, codecheck.checked(function))
        cls._pool_unchecked = getattr(cls.pool, "unchecked", cls.pool)
        if "__init__" in cls.__dict__:
            setattr(cls, "__init__", _checked(cls.__init__))  # noqa: B010

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
        """The image of a code, as near as the code allows, from the code and the parameters.

        Raises:
            NoInverse: Where the representation has no inverse of its own.
            BadCode: If the code is of another kind, other parameters, or holds NaN or infinity.
        """
        remedy = (
            "`imrep invert IMAGE SPEC` goes by gradient."
            if self.differentiable
            else "No gradient reaches the image either; `imrep list` marks what has an inverse."
        )
        raise NoInverse(f"{self.name} has no inverse of its own. {remedy}")

    @codecheck.checked
    def picture(self, code: C, image: Image | None = None) -> Picture:
        """The code drawn for the eye, over the image if given; (b, 3, rows, columns).

        Raises:
            BadCode: If the code is of another kind, other parameters, or holds NaN or infinity.
            BadImage: If the image has another shape than the code's.
        """
        return draw(code, image)

    def class_scores(self, image: Image) -> tuple[Tensor, Tensor]:
        """The layer's maps (b, c, h, w) and each class's score before the softmax (b, n).

        Both are of one graph, so that the scores have a gradient for the maps.

        Raises:
            BadParameter: If it has no classifier, as most have none.
        """
        raise BadParameter(
            f"{self.spec} has no classifier, which grad-cam needs. Use a network with published "
            "weights, such as cnn:arch=tf_efficientnet_lite0."
        )

    def class_names(self, count: int) -> tuple[str, ...]:
        """The names of the `count` classes of `class_scores`; none where they have no names."""
        return ()

    def check_code(self, code: C) -> None:
        """Refuse a code whose shapes do not fit these parameters; the default refuses none.

        Runs before `pool`, `invert` and `picture`, after the checks of the code's kind (types,
        axes, one batch for all tensors).

        Raises:
            BadCode: Naming the shapes needed and those of the code.
        """

    def describe(self) -> dict[str, str]:
        """Facts that hang on the parameters, by their names; `imrep card SPEC` prints them."""
        return {}

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
        """Whether `fit` must be called before `embed`."""
        return False

    @property
    def dim(self) -> int:
        """Length of the vectors of `embed`, measured on a blank image."""
        like = next(itertools.chain(self.parameters(), self.buffers()), torch.empty(0))
        like = like if like.dtype in checks.DTYPES else like.float()
        side = self.canvas or _BLANK_SIDE
        with torch.no_grad():
            return self.embed(like.new_zeros(1, 3, side, side)).shape[1]

    def framed(self, reading: "Reading") -> "Reading":
        """The reading with the crop and the filter of its canvas; unchanged where it has none."""
        if self.canvas is None:
            return reading
        return dataclasses.replace(reading, crop=self.crop, resampling=self.resampling)

    @property
    def spec(self) -> str:
        """The shortest string from which `imrep.get` rebuilds this object.

        Paths stay as they were written; of a loaded representation it is the folder. Two equal
        specs may differ in weights; `fingerprint` tells.
        """
        return self._folder or self._short_spec(self.get_params())

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits of the spec, the revision and the weights; stored beside vectors."""
        identity = f"{self._identity()}@{self.card.revision}"
        return digest(identity, *tensor_digest.parts(self.state_dict()), size=6)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Constructor arguments by name, as scikit-learn has them.

        Raises:
            BadParameter: If the class does not keep an argument under its own name.
        """
        names = self._signature()
        for key in names:
            if not hasattr(self, key):  # an AttributeError here would be said of `spec`
                raise BadParameter(
                    f"{self.name} needs to keep its parameter {key!r} under that name. "
                    f"Write self.{key} = {key} in {type(self).__name__}.__init__."
                )
        return {key: getattr(self, key) for key in names}

    def set_params(self, **params: Any) -> "Representation":
        """Rebuild in place with other arguments; fitted state and loaded weights are lost.

        Raises:
            BadParameter: If an argument does not exist, has another type, or is out of range; the
                representation is then unchanged.
        """
        signature = self._signature()
        params = signatures.current(params, self.renamed, self.name)
        specs.check_keys(params, signature, self.name)
        for key, value in params.items():
            specs.check_type(value, annotation(signature[key]), self.name, key)
        self.__dict__ = type(self)(**{**self.get_params(), **params}).__dict__
        return self

    def __sklearn_clone__(self) -> "Representation":
        """A copy that keeps loaded weights, which rebuilding from the parameters would lose."""
        return copy.deepcopy(self)

    def save(self, folder: str | Path) -> Path:
        """Write `config.json` and `weights.safetensors`, from which `imrep.load` rebuilds it."""
        folder = as_path(folder, "save", "a folder", empty=False)
        config = {
            "spec": self._blank_spec(),
            "fingerprint": self.fingerprint,
            "classes": self._class_names(),
            **self._saved_facts(),
        }
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
        """Check a code: its kind, its shapes, these parameters' shapes, finite numbers."""
        codecheck.structure(code, self._code_kind, self.name)
        self.check_code(code)
        codecheck.numbers(code, self.name)

    def extra_repr(self) -> str:
        return ", ".join(f"{k}={v!r}" for k, v in self.get_params().items())

    def _fingerprint_params(self) -> dict[str, Any]:
        """Parameters as they enter the fingerprint: weights by their digest, not their path."""
        return self.get_params()

    def _identity(self) -> str:
        """The spec that enters the fingerprint: no path, no folder."""
        return self._short_spec(self._fingerprint_params())

    def _blank_spec(self) -> str:
        """The spec `load` builds from before it loads the weights."""
        return self._short_spec(self.get_params())

    def _saved_facts(self) -> dict[str, Any]:
        """What else `config.json` holds, by names of their own."""
        return {}

    def _class_names(self) -> list[str]:
        """Module and name of the class of each view."""
        return [f"{type(self).__module__}.{type(self).__qualname__}"]

    def _short_spec(self, params: dict[str, Any]) -> str:
        defaults = {key: p.default for key, p in self._signature().items()}
        return specs.write(self.name, {k: v for k, v in params.items() if v != defaults[k]})

    @classmethod
    def _signature(cls) -> dict[str, inspect.Parameter]:
        """Constructor arguments; a class without a constructor has none, not nn.Module's *args."""
        parameters = inspect.signature(cls).parameters
        variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        return {key: p for key, p in parameters.items() if p.kind not in variadic}


def annotation(parameter: inspect.Parameter) -> str:
    """The annotation of a parameter as it is written; "" if there is none."""
    if parameter.annotation is parameter.empty:
        return ""
    as_text = isinstance(parameter.annotation, str)  # from __future__ import annotations
    return parameter.annotation if as_text else inspect.formatannotation(parameter.annotation)


def _checked(init: Callable[..., None]) -> Callable[..., None]:
    """A constructor that refuses values of other types, and takes old names with a warning."""
    annotations = {key: annotation(p) for key, p in inspect.signature(init).parameters.items()}
    plain = {key: text for key, text in annotations.items() if specs.is_plain(text)}

    @functools.wraps(init)  # `inspect.signature` sees the present names
    def constructor(self: Representation, *args: Any, **params: Any) -> None:
        params = signatures.current(params, self.renamed, self.name)
        for key in plain.keys() & params.keys():
            specs.check_type(params[key], plain[key], self.name, key)
        init(self, *args, **params)

    return constructor
