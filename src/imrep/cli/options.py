"""Options that several commands share, so that a name has one meaning everywhere."""

import functools
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from imrep.cli import screen
from imrep.errors import BadParameter
from imrep.io.names import encodable_values
from imrep.registry import catalog

if TYPE_CHECKING:
    from imrep.images import Reading

F = TypeVar("F", bound=Callable[..., Any])


class Spec(click.ParamType):
    """A spec; the shell completes names."""

    name = "spec"

    def shell_complete(
        self, context: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Names that complete the view after the last `+`."""
        before, plus, last = incomplete.rpartition("+")
        return [
            CompletionItem(before + plus + name, help=catalog.entry(name).summary)
            for name in catalog.names()
            if name.startswith(last)
        ]


NATIVE = 0


class Side(click.ParamType):
    """A canvas: its side in pixels, or `native`, read as 0."""

    name = "size"

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> int:
        """Side in pixels."""
        if value in ("native", NATIVE):
            return NATIVE
        if not re.fullmatch("[0-9]{1,9}", str(value)) or not 1 <= int(value) <= LARGEST_SIDE:
            self.fail(
                f"a size is native or 1 to {LARGEST_SIDE} pixels, got {value!r}.", param, context
            )
        return int(value)


LARGEST_SIDE = 16_384  # pixels
_LARGEST_SEED = 2**32 - 1  # what scikit-learn takes


class Number(click.FloatRange):
    """A number within a range, which excludes NaN."""

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> Any:
        """The number."""
        number = super().convert(value, param, context)
        if math.isnan(number):
            self.fail(f"{value!r} is not a number.", param, context)
        return number


class Output(click.Path):
    """The path of a file or folder to write; "" and "-" are refused."""

    def __init__(self, **more: Any) -> None:
        super().__init__(path_type=Path, **more)

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> Any:
        """The path."""
        if not str(value).strip() or "\0" in str(value):
            self.fail(f"an output needs a name, got {str(value)!r}.", param, context)
        if str(value) == "-":
            self.fail(
                "an output needs a name, got '-'. Use ./- for a file with that name.",
                param,
                context,
            )
        return super().convert(value, param, context)


class CacheLimit(click.ParamType):
    """A size of the cache: 5GB, 500MB, or none; given on as text."""

    name = "size"

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> str:
        """The text."""
        from imrep.embedding.cache import limits

        try:
            limits.limit(str(value))
        except BadParameter as error:
            self.fail(str(error), param, context)
        return str(value)


class Named(click.ParamType):
    """NAME=VALUE."""

    def __init__(self, name: str, value: click.ParamType) -> None:
        self.name, self.value = name, value

    def convert(self, value: Any, param: Any, context: Any) -> tuple[str, Any]:
        """The name and the value."""
        name, equals, text = value.partition("=")
        if not (name and equals and text):
            self.fail(f"it needs {self.name}, got {value!r}. Try mine={value}.", param, context)
        return name, self.value.convert(text, param, context)


def by_name(
    context: click.Context, param: click.Parameter, pairs: tuple[tuple[str, Any], ...]
) -> dict[str, Any] | None:
    """The values by name."""
    named = dict(pairs)
    if len(named) < len(pairs):
        names = ", ".join(name for name, _ in pairs)
        raise click.BadParameter(f"it needs each name once, got {names}.", context, param)
    return named or None


SPEC = Spec()
SIDE = Side()
OUTPUT = Output()
CACHE_LIMIT = CacheLimit()


def renamed(old: str, new: str, type: click.ParamType) -> Callable[[F], F]:
    """The old name of an option, hidden: it sets the new one and says so on stderr."""
    hidden, name = f"old_{old.lstrip('-')}", new.lstrip("-").replace("-", "_")

    def decorate(command: F) -> F:
        @functools.wraps(command)
        def inner(*arguments: Any, **named: Any) -> Any:
            value = named.pop(hidden)
            if value is not None:
                source = click.get_current_context().get_parameter_source(name)
                if source == ParameterSource.COMMANDLINE:
                    raise click.UsageError(f"{old} is {new} now, got both. Leave {old} out.")
                screen.remark(
                    f"{old} is {new} now; the next release drops the old name",
                    quiet=bool(named.get("quiet")),
                )
                named[name] = value
            return command(*arguments, **named)

        return click.option(old, hidden, hidden=True, type=type)(inner)  # type: ignore[return-value]

    return decorate


def as_json(command: F) -> F:
    """`--json`: one JSON value on stdout instead of text."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def quiet(command: F) -> F:
    """`-q`: no progress, no notes."""
    return click.option("-q", "--quiet", is_flag=True, help="Print no progress and no notes.")(
        command
    )


def verbose(command: F) -> F:
    """`-v`: more notes."""
    return click.option("-v", "--verbose", is_flag=True, help="Print more notes.")(command)


def seed(command: F) -> F:
    """`--seed N`."""
    return click.option(
        "--seed",
        type=click.IntRange(0, _LARGEST_SEED),
        default=0,
        metavar="N",
        show_default=True,
        help="Seed of all random numbers.",
    )(command)


def device(command: F) -> F:
    """`--device`."""
    return click.option(
        "--device",
        type=click.Choice(["auto", "cpu", "cuda", "mps"]),
        default="auto",
        show_default=True,
        help="Device; auto uses an accelerator if available.",
    )(command)


def threads(command: F) -> F:
    """`--threads N`."""
    return click.option(
        "--threads",
        type=click.IntRange(1, 256),
        metavar="N",
        help="Threads for reading and computing.  [default: one per core]",
    )(command)


@dataclass(frozen=True)
class Machine:
    """The options that `machine` collects."""

    threads: int | None
    seed: int
    device: str
    download: bool
    quiet: bool
    verbose: bool


def machine(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--threads --seed --device --download -q -v`, passed as one `machine: Machine`."""

    @functools.wraps(command)
    def collected(*args: Any, **named: Any) -> Any:
        parts = {field.name: named.pop(field.name) for field in fields(Machine)}
        return command(*args, machine=Machine(**parts), **named)

    for option in (verbose, quiet, download, device, seed, threads):
        collected = option(collected)
    return collected


class DataRange(click.ParamType):
    """Two numbers separated by a comma: black and white."""

    name = "data-range"

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> tuple[float, float]:
        """(0.0, 4095.0) from "0,4095"."""
        if isinstance(value, tuple):
            return value
        try:
            black, white = (float(number) for number in str(value).split(","))
        except ValueError:
            self.fail(f"a range is two numbers such as 0,4095, got {value!r}.", param, context)
        return black, white


def reading(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--max-pixels --data-range`, passed as one `reading: images.Reading`."""

    @functools.wraps(command)
    def collected(*args: Any, **named: Any) -> Any:
        from imrep import images

        with images.noting() as notes:
            try:
                return command(*args, reading=_reading(named), **named)
            finally:
                for sentence in notes:
                    screen.remark(sentence, bool(named.get("quiet")))

    for option in (
        click.option(
            "--data-range",
            type=DataRange(),
            metavar="BLACK,WHITE",
            help="Values of black and white in files that do not state them, such as floats.",
        ),
        click.option(
            "--max-pixels",
            type=click.IntRange(1),
            metavar="N",
            help="Refuse images with more pixels.  [default: 200,000,000]",
        ),
    ):
        collected = option(collected)
    return collected


def _reading(named: dict[str, Any]) -> "Reading":
    from imrep.images import Reading

    chosen = {name: named.pop(name) for name in ("max_pixels", "data_range")}
    return Reading(**{name: value for name, value in chosen.items() if value is not None})


def strict(command: F) -> F:
    """`--strict`."""
    return click.option("--strict", is_flag=True, help="Exit with code 3 if a file was skipped.")(
        command
    )


def download(command: F) -> F:
    """`--download`."""
    return click.option(
        "--download", is_flag=True, help="Download published weights that are not cached."
    )(command)


def size(command: F) -> F:
    """`--size S|native` of a command for one image; None if absent, 0 for native."""
    return click.option(
        "--size",
        type=SIDE,
        metavar="S",
        help="Side in pixels of the central square, or native for the unchanged image.",
    )(command)


def square_size(command: F) -> F:
    """`--size S|native` of a command for many images; None if absent, 0 for native."""
    return click.option(
        "--size",
        type=SIDE,
        metavar="S",
        help="Side in pixels of the squares that are read, for what has no size of its own.  "
        "[default: 64]",
    )(command)


def vectors(command: F) -> F:
    """`--vectors NAME=FILE`, repeatable: a dictionary, or None."""
    return click.option(
        "--vectors",
        multiple=True,
        type=Named("NAME=FILE", click.Path(path_type=Path, exists=True, dir_okay=False)),
        metavar="NAME=FILE",
        callback=by_name,
        help="Vectors made elsewhere: parquet, npz, safetensors or csv with paths, npy; "
        "repeatable.",
    )(command)


def example(*lines: str) -> str:
    """An epilog of examples, one per line."""
    return "\b\n" + "\n".join(
        ["Examples:" if lines[1:] else "Example:", *map("  {}".format, lines)]
    )


def write_json(value: object) -> None:
    """One JSON value on stdout. Numbers that are not finite become null: JSON has no others."""
    valid = encodable_values(_finite(value))
    click.echo(json.dumps(valid, indent=2, ensure_ascii=False, allow_nan=False))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
