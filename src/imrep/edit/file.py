"""Chains of operations on image files, with all that a file holds besides its pixels.

Sample type, alpha, ICC profile, EXIF and resolution pass by the operations, which see the colours
only, upright and unconverted. There is no rounding between operations. A chain may end by packing
the image into an .imr file, or begin by unpacking one.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from imrep import images
from imrep.codec import packed
from imrep.edit import measurements, packed_metadata, rate_distortion
from imrep.edit.chain import TYPES, Chain
from imrep.edit.measurements import Measurement
from imrep.edit.rate_distortion import Point, RateDistortion
from imrep.errors import BadParameter
from imrep.images import Original, Plan
from imrep.io.files import write_atomic
from imrep.io.marks import marked
from imrep.ops import tiling
from imrep.registry.operations import Step
from imrep.types import Progress

__all__ = ["FLOATING", "Chain", "EditedFile", "edit_file", "output_suffix"]

FLOATING = (".pfm", ".fits", ".fit", ".fts", ".exr", ".hdr", ".dcm")  # hold physical units
_SUBSAMPLING = 16  # rows and columns between pixels of the first, quick comparison
_FORMATS = {"PNG": "a PNG", "JPEG": "a JPEG", "TIFF": "a TIFF", "WEBP": "a WebP"}


@dataclass(frozen=True)
class EditedFile:
    """What was written of one image.

    Args:
        path: The output.
        image: Its size and type in words: "4000×3000, 8 bits, RGB".
        preserved: Metadata that the output holds as well: "ICC profile", "EXIF" …
        lost: What the format cannot hold, and what was converted: "16 bits", "transparency",
            "CMYK became RGB".
        measured: What operations measured to set their own strength.
        further: Whether the file held further frames, pages or images.
        unchanged: Whether the pixels are the same; then a file of the same format is copied, with
            all that it holds.
        figures: Rate and distortion, where the chain ends with packing.
        curve: Rate and distortion at other qualities and methods, where requested.
        seconds: From reading to having written.
    """

    path: Path
    image: str
    preserved: tuple[str, ...]
    lost: tuple[str, ...]
    measured: tuple[Measurement, ...]
    further: bool
    unchanged: bool
    figures: RateDistortion | None
    curve: tuple[Point, ...]
    seconds: float


def edit_file(  # what, how, where; and the command's own options by name
    source: str | Path | bytes,
    chain: Chain,
    out: Path,
    progress: Progress = lambda *_: None,
    *,
    curve: Path | None = None,
    in_place: bool = False,
    mark: str = "",
) -> EditedFile:
    """Edit one file into another, which is written atomically.

    Args:
        source: A path, or the bytes of a file.
        chain: The operations.
        out: The output.
        progress: Called before each step.
        curve: Where to draw the rate–distortion curve, .png or .svg, if the chain packs.
        in_place: Whether `out` is the source itself; then nothing in it may be lost.
        mark: A line that the file carries, `imrep.io.marks`.

    Raises:
        BadFile: The source cannot be read as an image, or as a packed one.
        BadImage: An operation refuses the image.
        BadParameter: `out` or `curve` has a suffix that is not written, there is no curve, or
            editing in place would lose something.
    """
    start = time.perf_counter()
    _check_source(source, chain)
    _check_output(out, chain)
    if curve is not None:
        rate_distortion.check_path(curve)
        if not chain.packs:
            raise BadParameter(f"a rate curve needs compress as the last step, got {chain.slug}.")
    with torch.no_grad(), measurements.recording() as records:
        before, steps, packing = _read(source, chain, progress)
        if not chain.packs:  # refuse before the work, which may take long
            plan = images.plan(out, before, "edit")
            if in_place:
                _refuse_losses(source, before, plan, out)
        after = _apply(before, steps, chain, progress)
        progress("writing", 0, 1)
        if packing:
            figures, points = _pack(after, packing, chain, out, curve, progress, mark)
            plan = Plan(after, "", after.samples, packed_metadata.lost(after))
            unchanged = False
        else:
            figures, points = None, ()
            unchanged = bool(steps) and _same_numbers(before, after)
            plan = _save(source, before, after, out, in_place, unchanged, mark)
    return EditedFile(
        out,
        _description(after, plan),
        plan.carried,
        plan.lost,
        tuple(records),
        bool(before.more),
        unchanged,
        figures,
        points,
        time.perf_counter() - start,
    )


def output_suffix(source: Path) -> str:
    """The suffix of an output that is named after its source: one whose format holds its numbers.

    Raises:
        BadFile: The file cannot be read.
    """
    suffix = source.suffix.lower()
    if suffix in FLOATING:
        return ".tif"
    if suffix not in images.SUFFIXES:
        return ".png"
    content = images.content(source)  # a file may be named as another format
    same = images.kind(f"a{content or suffix}") == images.kind(source)
    return source.suffix if same else content


def _read(
    source: str | Path | bytes, chain: Chain, progress: Progress
) -> tuple[Original, list[Step], Step | None]:
    """The image, the steps that edit it, and the one that packs it, if any."""
    progress("reading", 0, 1)
    steps = list(chain.steps)
    packing = steps.pop() if chain.packs else None
    if chain.unpacks:
        small = packed.read(source)
        pixels = chain.step(steps.pop(0), small)
        return packed_metadata.restored(small, pixels), steps, packing
    return chain.original(source), steps, packing


def _apply(before: Original, steps: Sequence[Step], chain: Chain, progress: Progress) -> Original:
    pixels = before.pixels.to(chain.device)
    for i, step in enumerate(steps):
        name = step.operation.name
        progress(name, i, len(chain.steps))
        with tiling.watched(partial(progress, name)):
            pixels = chain.step(step, pixels, before)
    if pixels.shape[1] == before.pixels.shape[1] or before.profile is None:
        return replace(before, pixels=pixels)
    # An operation made the image gray, which a profile of RGB does not describe.
    lost = (*before.metadata.lost, "the ICC profile of colours")
    metadata = replace(before.metadata, lost=lost)
    return replace(before, pixels=pixels, profile=None, metadata=metadata)


def _pack(
    image: Original,
    step: Step,
    chain: Chain,
    out: Path,
    curve: Path | None,
    progress: Progress,
    mark: str,
) -> tuple[RateDistortion, tuple[Point, ...]]:
    small = packed_metadata.with_metadata(chain.step(step, image.pixels), image)
    packed.write(small, out, mark=mark)
    figures = rate_distortion.measure(small, image.pixels)
    if curve is None:
        return figures, ()
    points = tuple(rate_distortion.curve(image.pixels, progress=progress))
    rate_distortion.draw(points, curve)
    return figures, points


def _same_numbers(before: Original, after: Original) -> bool:
    """Whether the file's numbers are the same, that is the pixels after rounding to its type."""
    pixels = before.pixels, after.pixels.to(before.pixels)
    if pixels[0].shape != pixels[1].shape:
        return False
    white = 2**before.bits - 1 if before.samples.common else None
    for step in (_SUBSAMPLING, 1):  # most edits differ in every part
        parts = [image[..., ::step, ::step] for image in pixels]
        if white is not None:
            parts = [part.mul(white).round_() for part in parts]
        if not torch.equal(*parts):
            return False
    return True


def _save(
    source: str | Path | bytes,
    before: Original,
    after: Original,
    out: Path,
    in_place: bool,
    unchanged: bool,
    mark: str,
) -> Plan:
    """Write the image, or copy its file where nothing has changed."""
    plan = images.plan(out, after, "edit")
    if unchanged and images.kind(out) == before.metadata.format:
        if not in_place:
            data = images.fetch(source)
            write_atomic(out, marked(data, mark) if mark else data)
        return replace(plan, lost=())
    if in_place:
        _refuse_losses(source, after, plan, out)
    images.save_planned(out, plan, mark=mark)
    return plan


def _refuse_losses(source: str | Path | bytes, image: Original, plan: Plan, out: Path) -> None:
    """Refuse to overwrite a file with one that holds less."""
    name = out.name
    if image.more:
        raise BadParameter(
            f"{name} holds {image.more + 1} images; in place would lose {image.more}. Use -o."
        )
    if image.metadata.format != plan.kind:
        suffix = images.content(source) or ".png"
        better = out.with_suffix(suffix).name
        better = f"{out.stem}.edited{suffix}" if out.with_name(better).exists() else better
        raise BadParameter(
            f"{name} holds {_FORMATS.get(image.metadata.format, image.metadata.format)}; in "
            f"place would make it {_FORMATS[plan.kind]}. Use -o {better}."
        )
    if plan.lost:
        lost = [item for item in plan.lost if " became " not in item]
        converted = [item for item in plan.lost if " became " in item]
        losses = [f"would lose {' and '.join(lost)}"] * bool(lost)
        losses += [item.replace(" became ", " would become ") for item in converted]
        raise BadParameter(f"{name}: in place {'; '.join(losses)}. Use -o.")


def _check_source(source: str | Path | bytes, chain: Chain) -> None:
    """Refuse a packed image that is not unpacked, and an image that would be."""
    if isinstance(source, bytes) or chain.unpacks == (Path(source).suffix == packed.SUFFIX):
        return
    name, first = Path(source).name, chain.steps[0].operation
    remedy = f"`compress` makes {packed.SUFFIX} files" if chain.unpacks else "Put decode before it"
    raise BadParameter(f"{first.name} needs {TYPES[first.takes]}, got {name}. {remedy}.")


def _check_output(out: Path, chain: Chain) -> None:
    """Refuse, before the work, a name that cannot be written."""
    suffixes = (packed.SUFFIX,) if chain.packs else images.SUFFIXES
    if out.suffix.lower() not in suffixes:
        raise BadParameter(
            f"edit needs a name ending in {', '.join(suffixes)} after {chain.slug}, "
            f"got {out.name!r}. Try {suffixes[0]}."
        )


def _description(image: Original, plan: Plan) -> str:
    height, width = image.pixels.shape[2:]
    colours = "gray" if image.pixels.shape[1] == 1 else "RGB"
    text = f"{width}×{height}, {plan.samples.words}, {colours}"
    if image.stored:
        text += f" from {image.stored}"
    return f"{text}, the first of {image.more + 1} images" if image.more else text
