"""Chains of operations on files: what a picture was besides its pixels, it stays.

Depth, alpha, ICC profile, EXIF and resolution pass by the operations, which see colours only,
upright and as the file has them. Between operations there is no rounding. A chain may end by
packing the picture into few bytes, or begin by unpacking it.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from imrep import images
from imrep.codec import packed
from imrep.edit import measurements, metadata, rate_distortion
from imrep.edit.chain import WORDS, Chain
from imrep.edit.measurements import Measurement
from imrep.edit.metadata import Figures
from imrep.edit.rate_distortion import Point
from imrep.errors import BadParameter
from imrep.images import Original, Plan
from imrep.io.files import write_atomic
from imrep.io.marks import marked
from imrep.registry.operations import Step

__all__ = ["FLOATING", "Chain", "Edited", "edit", "suffix_of"]

Progress = Callable[[str, int, int], None]  # what is being done, how many are done, of how many
FLOATING = (".pfm", ".fits", ".fit", ".fts", ".exr", ".hdr", ".dcm")  # whose numbers are in units
_SPARSE = 16  # pixels down and across of which one is looked at first
_FORMATS = {"PNG": "a PNG", "JPEG": "a JPEG", "TIFF": "a TIFF", "WEBP": "a WebP"}


@dataclass(frozen=True)
class Edited:
    """What was written of one picture.

    Args:
        path: Where to.
        picture: What it holds, in words: "4000×3000, 8 bits, RGB".
        kept: What came with the pixels and went on with them: "ICC profile", "EXIF" …
        lost: What the format could not hold, and what became something else: "16 bits",
            "transparency", "CMYK became RGB".
        measured: What operations measured to set their own strength.
        further: Whether the file held further frames, pages or pictures.
        unchanged: Whether the pixels came out as they were; then a file of the same format is
            copied, with all that it holds.
        figures: What packing took, where the chain ends with that.
        curve: What other qualities and methods of packing would take, where that was asked for.
        seconds: From reading to having written.
    """

    path: Path
    picture: str
    kept: tuple[str, ...]
    lost: tuple[str, ...]
    measured: tuple[Measurement, ...]
    further: bool
    unchanged: bool
    figures: Figures | None
    curve: tuple[Point, ...]
    seconds: float


def edit(  # what, how, where; and the command's own wishes by name
    source: str | Path | bytes,
    chain: Chain,
    out: Path,
    tell: Progress = lambda *_: None,
    *,
    curve: Path | None = None,
    in_place: bool = False,
    mark: str = "",
) -> Edited:
    """Edit one file into another, which appears whole or not at all.

    Args:
        source: A path, or the bytes of a file.
        chain: What to do.
        out: Where to.
        tell: Told what is being done.
        curve: Where to draw likeness against bits per pixel, .png or .svg, if the chain packs.
        in_place: Whether `out` is the source itself, of which nothing may then be lost.
        mark: A line that the file carries, `imrep.io.marks`.

    Raises:
        BadFile: The source cannot be read as an image, or as a packed one.
        BadImage: An operation refuses the picture.
        BadParameter: `out` or `curve` has a suffix that is not written, there is no curve, or the
            source would lose something in its own place.
    """
    began = time.perf_counter()
    _fitting(source, chain)
    _writable(out, chain)
    if curve is not None:
        rate_distortion.drawable(curve)
        if not chain.packs:
            raise BadParameter(f"a rate curve needs compress as the last step, got {chain.slug}.")
    with torch.no_grad(), measurements.recording() as records:
        before, steps, last = _read(source, chain, tell)
        if not chain.packs:
            planned = images.plan(out, before, "edit")
            if in_place:
                _refuse_losses(source, before, planned, out)
        picture = _edited(before, steps, chain, tell)
        tell("writing", 0, 1)
        if last:
            figures, points = _pack(picture, last, chain, out, curve, tell, mark)
            planned, unchanged = Plan(picture, "", picture.samples, metadata.lost(picture)), False
        else:
            figures, points = None, ()
            unchanged = bool(steps) and _same(before, picture)
            planned = _save(source, before, picture, out, (in_place, unchanged), mark)
    return Edited(
        out,
        _words(picture, planned),
        planned.carried,
        planned.lost,
        tuple(records),
        bool(before.more),
        unchanged,
        figures,
        points,
        time.perf_counter() - began,
    )


def _read(
    source: str | Path | bytes, chain: Chain, tell: Progress
) -> tuple[Original, list[Step], Step | None]:
    """The picture, the steps that edit it, and the one that packs it, if there is one."""
    tell("reading", 0, 1)
    steps = list(chain.steps)
    last = steps.pop() if chain.packs else None
    if chain.unpacks:
        small = packed.read(source)
        return metadata.restored(small, chain.step(steps.pop(0), small)), steps, last
    return chain.original(source), steps, last


def _edited(before: Original, steps: Sequence[Step], chain: Chain, tell: Progress) -> Original:
    pixels = before.pixels.to(chain.device)
    for i, step in enumerate(steps):
        tell(step.operation.name, i, len(chain.steps))
        pixels = chain.step(step, pixels, before)
    if pixels.shape[1] == before.pixels.shape[1] or before.profile is None:
        return replace(before, pixels=pixels)
    # A profile of colours fits no gray picture.
    metadata_ = replace(before.metadata, lost=(*before.metadata.lost, "the ICC profile of colours"))
    return replace(before, pixels=pixels, profile=None, metadata=metadata_)


def _pack(
    picture: Original,
    step: Step,
    chain: Chain,
    out: Path,
    curve: Path | None,
    tell: Progress,
    mark: str,
) -> tuple[Figures, tuple[Point, ...]]:
    small = metadata.keep(chain.step(step, picture.pixels), picture)
    packed.write(small, out, mark=mark)
    figures = metadata.figures(small, picture.pixels)
    if curve is None:
        return figures, ()
    points = tuple(rate_distortion.curve(picture.pixels, progress=tell))
    rate_distortion.draw(points, curve)
    return figures, points


def _same(before: Original, after: Original) -> bool:
    """Whether no number of the file changes."""
    one, other = before.pixels, after.pixels.to(before.pixels)
    if one.shape != other.shape:
        return False
    top = 2**before.bits - 1 if before.samples.common else None
    for step in (_SPARSE, 1):  # most differ in every part
        parts = [pixels[..., ::step, ::step] for pixels in (one, other)]
        if top is not None:
            parts = [part.mul(top).round_() for part in parts]
        if not torch.equal(*parts):
            return False
    return True


def _save(
    source: str | Path | bytes,
    before: Original,
    picture: Original,
    out: Path,
    how: tuple[bool, bool],
    mark: str,
) -> Plan:
    """Write the picture, or copy its file where nothing has changed."""
    in_place, unchanged = how
    planned = images.plan(out, picture, "edit")
    if unchanged and images.kind(out) == before.metadata.format:
        planned = replace(planned, lost=())
        if not in_place:
            data = images.fetch(source)
            write_atomic(out, marked(data, mark) if mark else data)
        return planned
    if in_place:
        _refuse_losses(source, picture, planned, out)
    images.save_planned(out, planned, mark=mark)
    return planned


def _refuse_losses(source: str | Path | bytes, picture: Original, planned: Plan, out: Path) -> None:
    """Refuse to write over a file that holds what the new one would not."""
    name = out.name
    if picture.more:
        raise BadParameter(
            f"{name} holds {picture.more + 1} pictures; in place would lose {picture.more}. Use -o."
        )
    if picture.metadata.format != planned.kind:
        suffix = images.content(source) or ".png"
        better = out.with_suffix(suffix).name
        better = f"{out.stem}.edited{suffix}" if out.with_name(better).exists() else better
        raise BadParameter(
            f"{name} holds {_FORMATS.get(picture.metadata.format, picture.metadata.format)}; in "
            f"place would make it {_FORMATS[planned.kind]}. Use -o {better}."
        )
    if planned.lost:
        lost = [words for words in planned.lost if " became " not in words]
        changed = [words for words in planned.lost if " became " in words]
        would = [f"would lose {' and '.join(lost)}"] * bool(lost)
        would += [words.replace(" became ", " would become ") for words in changed]
        raise BadParameter(f"{name}: in place {'; '.join(would)}. Use -o.")


def suffix_of(source: Path) -> str:
    """The suffix of an output that is named after its source: one whose format holds its numbers.

    Raises:
        BadFile: The file cannot be read.
    """
    suffix = source.suffix.lower()
    if suffix in FLOATING:
        return ".tif"
    if suffix not in images.SUFFIXES:
        return ".png"
    found = images.content(source)
    return source.suffix if images.kind(f"a{found or suffix}") == images.kind(source) else found


def _fitting(source: str | Path | bytes, chain: Chain) -> None:
    """Refuse a packed picture that is not unpacked, and a picture that would be."""
    if isinstance(source, bytes) or chain.unpacks == (Path(source).suffix == packed.SUFFIX):
        return
    name, first = Path(source).name, chain.steps[0].operation.name
    remedy = f"`compress` makes {packed.SUFFIX} files" if chain.unpacks else "Put decode before it"
    raise BadParameter(
        f"{first} needs {WORDS[chain.steps[0].operation.takes]}, got {name}. {remedy}."
    )


def _writable(out: Path, chain: Chain) -> None:
    """Refuse a name that could not be written in the end."""
    suffixes = (packed.SUFFIX,) if chain.packs else images.SUFFIXES
    if out.suffix.lower() not in suffixes:
        raise BadParameter(
            f"edit needs a name ending in {', '.join(suffixes)} after {chain.slug}, "
            f"got {out.name!r}. Try {suffixes[0]}."
        )


def _words(picture: Original, planned: Plan) -> str:
    height, width = picture.pixels.shape[2:]
    colours = "gray" if picture.pixels.shape[1] == 1 else "RGB"
    words = f"{width}×{height}, {planned.samples.words}, {colours}"
    if picture.stored:
        words += f" from {picture.stored}"
    return f"{words}, the first of {picture.more + 1} pictures" if picture.more else words
