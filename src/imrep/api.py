"""What `import imrep` offers beyond single representations."""

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imrep import images, results
from imrep.io.names import as_path
from imrep.io.ownfolder import claimed
from imrep.results import Row

if TYPE_CHECKING:
    from imrep.base import Representation
    from imrep.datasets import Dataset
    from imrep.inversion import Inversion
    from imrep.matching.match import Match
    from imrep.types import Image

__all__ = ["Comparison", "compare", "edited", "invert", "match"]


@dataclass(frozen=True)
class Comparison:
    """The outcome of `compare`: a sentence, a table, and where the report is.

    Args:
        folder: Holds `index.html`, `results.jsonl`, `assets/` and `skipped.csv`.
    """

    folder: Path

    @property
    def report(self) -> Path:
        """The page to open."""
        return self.folder / "index.html"

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Every number, as results.jsonl holds it."""
        return tuple(results.read(self.folder / results.FILENAME))

    @property
    def verdict(self) -> dict[str, Any]:
        """The sentence with its parts: text, warnings, notes, leader, equals, gap, command."""
        found = next(row.detail for row in self.rows if row.kind == "verdict")
        assert isinstance(found, dict)
        return found

    @property
    def pick(self) -> str:
        """The recommended spec, or "" where none can be named."""
        return next(row.spec for row in self.rows if row.kind == "verdict")

    @property
    def sentence(self) -> str:
        """The verdict in a sentence, without its bold marks."""
        return str(self.verdict["text"]).replace("**", "")

    @property
    def skipped(self) -> int:
        """Files that could not be read; skipped.csv names them."""
        return int(next(row.value or 0 for row in self.rows if row.metric == "skipped"))

    @property
    def absent(self) -> dict[str, str]:
        """What was not compared for want of weights or a package, and the way in."""
        wanted = ("weights", "extra")
        return {row.spec: str(row.detail) for row in self.rows if row.metric in wanted}

    def table(self) -> list[dict[str, Any]]:
        """A row per contender, best first, as a dictionary.

        Its keys are spec, accuracy, lo, hi, knn, object, kept, moves, ms and bytes. What was
        not measured is absent. `object` is the mean average precision of same_object, with
        object_lo and object_hi.
        """
        by_spec: dict[str, dict[str, Any]] = {}
        for row in self.rows:
            if row.role in ("contender", "sum"):
                line = by_spec.setdefault(row.spec, {"spec": row.spec})
                name = _COLUMNS.get((row.kind, row.metric))
                if name:
                    line[name] = row.value
                if name == "accuracy":
                    line["lo"], line["hi"] = row.lo, row.hi
                if name == "object":
                    line["object_lo"], line["object_hi"] = row.lo, row.hi
        return sorted(
            by_spec.values(),
            key=lambda line: (-line.get("accuracy", line.get("object", 0.0)), line["spec"]),
        )

    def __repr__(self) -> str:
        lines = [self.sentence]
        lines += [_line(line) for line in self.table()]
        return "\n".join([*lines, str(self.report)])

    def _repr_html_(self) -> str:
        lines = self.table()
        names = [name for name in ("spec", *_SHOWN) if any(name in line for line in lines)]
        head = "".join(f"<th>{name}</th>" for name in names)
        body = "".join(
            f"<tr>{''.join(f'<td>{_cell(line.get(name))}</td>' for name in names)}</tr>"
            for line in lines
        )
        sentence = html.escape(self.sentence)
        return f"<p>{sentence}</p><table><tr>{head}</tr>{body}</table><p>{self.report}</p>"


_COLUMNS = {
    ("accuracy", "probe"): "accuracy",
    ("accuracy", "knn"): "knn",
    ("accuracy", "retrieval"): "object",
    ("information", "kept"): "kept",
    ("stability", "moves"): "moves",
    ("cost", "ms"): "ms",
    ("cost", "bytes"): "bytes",
}
_SHOWN = (
    "accuracy",
    "lo",
    "hi",
    "knn",
    "object",
    "object_lo",
    "object_hi",
    "kept",
    "moves",
    "ms",
    "bytes",
)


def compare(  # noqa: PLR0913  # one argument for each option of the command
    data: Any = None,
    representations: Sequence[object] | None = None,
    out: str | Path = "report",
    *,
    size: int = 64,
    sizes: Sequence[int] = (),
    seed: int = 0,
    margin: float = 2.0,
    groups: str | Path | Mapping[str, str] | None = None,
    same_object: str | Path | Mapping[str, str] | None = None,
    vectors: Mapping[str, tuple[Sequence[str | Path], Any]] | None = None,
    most: int | None = None,
    threads: int = 1,
    device: str = "cpu",
    max_pixels: int = images.MAX_PIXELS,
    data_range: tuple[float, float] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Comparison:
    """Which representation serves these images best, how sure that is, and what it costs.

    Args:
        data: A folder, a split.csv, a zip, a parquet, a glob; None for the built-in photographs. Or
            pictures, or (pictures, labels): a list of paths, PIL images, arrays (h, w[, c]) or
            tensors (c, h, w), or one array (n, h, w[, c]) or tensor (n, c, h, w); floats in [0, 1].
        representations: Specs, sums such as "hog+histogram" among them; representations; modules or
            functions from images (b, 3, h, w) to vectors (b, d). None for every one that can run
            here.
        out: Folder for the report.
        size: Side in pixels of the squares that the images are read at.
        sizes: Further sides, for the curve of accuracy against size.
        seed: Of folds, draws and noise.
        margin: Points of accuracy within which cost decides.
        groups: Images that never part: a csv with path,group, or the group of each path; of
            pictures without a path the names are "000000", "000001" …
        same_object: Images that should find each other, likewise.
        vectors: Vectors made elsewhere that join the comparison, by the name that tables give them:
            the pictures' paths and an array (n, d).
        most: At most so many images, classes in proportion.
        threads: Threads that compute; one makes costs comparable.
        device: Where to encode, as torch names it.
        max_pixels: Largest image that is decoded.
        data_range: What means black and white in files that do not say it (`images.Reading`).
        progress: Told what is being done, how many are done, of how many.

    Returns:
        A `Comparison`; its repr is the sentence and the table.

    Raises:
        BadData: There are no images, or none that can be read; or `out` holds what
            compare did not write.
        Busy: Another run writes into `out`.
        OSError: The system does not let it be written; what is done is kept for the next call.
        BadParameter: An argument is out of its range.
        UnknownName: A spec names nothing.
    """
    from imrep import report
    from imrep.comparison import protocol
    from imrep.comparison.settings import Inputs, Settings

    reading = images.Reading(max_pixels=max_pixels, data_range=data_range)
    inputs = Inputs(
        data=_data(data, reading),
        specs=_specs(representations),
        vectors=vectors,
        groups=_groups(groups),
        same_object=_groups(same_object),
        max_images=most,
        seed=seed,
    )
    settings = Settings(
        out=as_path(out, "compare", "a folder for its report"),
        size=size,
        sizes=sizes if isinstance(sizes, str | int) else tuple(sizes),  # type: ignore[arg-type]
        seed=seed,
        margin=margin,
        threads=threads,
        device=device,
        reading=reading,
    )
    tell = progress or _silent
    with claimed(settings.out, "compare"):
        folder = protocol.run(inputs, settings, tell)
        tell("writing the report", 0, 1)
        report.write(folder)
    return Comparison(folder)


def _data(given: Any, reading: images.Reading) -> "str | tuple[str, ...] | Dataset | None":
    """A place or several as text, or the data set of pictures in memory."""
    from imrep.datasets import in_memory

    held = in_memory.pair(given)
    if held is not None:
        return in_memory.dataset(*held, reading=reading)
    several = isinstance(given, list | tuple)
    return tuple(map(str, given)) if several else None if given is None else str(given)


def _specs(given: Sequence[object] | None) -> tuple[object, ...] | None:
    """Every representation of a list; a single one counts as a list of it."""
    if given is None:
        return None
    several = isinstance(given, list | tuple)
    return (tuple(given) if several else (given,)) or None


def _groups(given: str | Path | Mapping[str, str] | None) -> Path | Mapping[str, str] | None:
    return Path(given) if isinstance(given, str | Path) else given


def invert(
    spec: "str | Representation", image: "Image", *, iterations: int | None = None
) -> "Inversion":
    """One image (1, 1|3, h, w) rebuilt from its code alone, with what was lost.

    Args:
        spec: Any representation, or its spec, that has an inverse or lets gradients through.
        image: The image, values in [0, 1].
        iterations: Most steps of an iterative inverse or a search; None for its own number.

    Raises:
        NoInverse: There is neither an inverse nor a gradient.
        BadImage: There is more than one image, or none.
    """
    from imrep import adapters, inversion

    return inversion.invert(adapters.resolve(spec, "invert"), image, iterations=iterations)


def match(
    first: "Image",
    second: "Image",
    spec: "str | Representation" = "sift:detector=opencv",
    *,
    ratio: float = 0.8,
    within: float = 3.0,
) -> "Match":
    """Whether the second picture shows what the first does, and where.

    Args:
        first: What is looked for, (1, 1|3, h, w), values in [0, 1].
        second: Where it is looked for, likewise.
        spec: Any representation, or its spec, whose code is `Points`.
        ratio: Share of the next nearest descriptor's distance that a pair's must be under.
        within: Pixels that a pair of keypoints may be off and still agree.

    Returns:
        A `Match`: found, sentence, inliers, homography, outline; `imrep.matching.drawing.draw`
        draws it.

    Raises:
        BadParameter: The representation gives no keypoints, or a number is out of its range.
        BadImage: A picture has no keypoints, or there are several.
    """
    from imrep import adapters
    from imrep.matching import match as task

    rep = adapters.resolve(spec, "match").eval()
    return task.match(
        task.some(task.keypoints(rep, first, "the first"), "the first"),
        task.some(task.keypoints(rep, second, "the second"), "the second"),
        ratio=ratio,
        within=within,
    )


def edited(image: "Image", chain: str) -> "Image":
    """Images after a chain of operations, nothing rounded between them.

    Where the last is `compress`, what that gives: an `imrep.codec.packed.Packed`.

    Args:
        image: (b, 1|3, h, w), values in [0, 1].
        chain: As on the command line, "stretch, unsharp:alpha=0.7"; `imrep edit --help` lists the
            operations, and each is also a function, such as `imrep.edit.unsharp`. A parameter that
            is a picture is given as a path.

    Raises:
        UnknownName: An operation does not exist.
        BadParameter: A parameter does not, or is out of its range.
        BadImage: An operation refuses the image.
    """
    from imrep.edit.file import Chain

    return Chain(chain).apply(image)


def _silent(what: str, done: int, total: int) -> None:
    """No progress was asked for."""


def _line(line: dict[str, Any]) -> str:
    shown = [f"{line['spec']:32}"]
    if "accuracy" in line:
        shown.append(
            f"{100 * line['accuracy']:5.1f} % ({100 * line['lo']:.0f}-{100 * line['hi']:.0f})"
        )
    elif "object" in line:
        ends = f"({100 * line['object_lo']:.0f}-{100 * line['object_hi']:.0f})"
        shown.append(f"{100 * line['object']:5.1f} % {ends}")
    time = f"{line['ms']:8.2f} ms" if "ms" in line else f"{'-':>8}   "
    return "  ".join([*shown, time, f"{line['bytes']:7.0f} bytes"])


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return "" if value is None else html.escape(str(value))
