"""`imrep edit DATA CHAIN`: operations on one picture or on a folder of them."""

import glob
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imrep import operations, specs
from imrep.cli import options, screen
from imrep.errors import BadParameter

if TYPE_CHECKING:
    from imrep.images import Reading
    from imrep.tasks.editfolder import Folder
    from imrep.tasks.editing import Chain, Edited
    from imrep.tasks.packing import Figures
    from imrep.tasks.ratecurve import Point

_SKIPPED = 3  # exit code under --strict
_WIDTH = 96


class _Explained(click.Command):
    """A command whose help ends with the operations there are."""

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Operations"):
            formatter.write_dl(
                [(name, operations.entry(name).summary) for name in operations.names()]
            )
        super().format_epilog(context, formatter)


def _about(context: click.Context, param: click.Parameter, name: str | None) -> None:
    """Say all there is to know of an operation, and end."""
    if name is None or context.resilient_parsing:
        return
    found = operations.entry(name)
    prose, _, rest = found.doc.partition("\n\nArgs:\n")
    _, _, references = rest.partition("References:\n")
    click.secho(found.name, bold=True)
    for paragraph in prose.split("\n\n"):
        click.echo(_filled(paragraph, "  "))
    for each in found.parameters:
        key = each.name.rstrip("_")
        click.echo(f"\n  {key}={'FILE' if each.needed else specs.text(each.default)}")
        click.echo(_filled(each.help, "      "))
    if references:
        click.echo("\n" + textwrap.indent(textwrap.dedent(references), "  "))
    context.exit()


def _filled(text: str, indent: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=indent, subsequent_indent=indent)


@click.command(
    cls=_Explained,
    epilog=options.example(
        'imrep edit cat.jpg "stretch, unsharp:alpha=0.7"',
        "imrep edit holidays/ denoise -o clean/",
        "imrep edit a.png blend:with=b.png,mask=m.png -o both.png",
        "imrep edit cat.png compress --curve rate.png",
        "imrep edit cat.imr decode",
    ),
)
@click.argument("data")
@click.argument("chain", metavar="OPERATION[,OPERATION]...")
@click.option("-o", "--out", type=options.OUTPUT, help="Picture to write; for a folder, a folder.")
@click.option(
    "--curve",
    type=options.OUTPUT,
    help="After compress: PNG or SVG of likeness against bits per pixel, beside JPEG.",
)
@click.option("--in-place", is_flag=True, help="Write over the picture itself.")
@click.option(
    "--about",
    metavar="OPERATION",
    is_eager=True,
    expose_value=False,
    callback=_about,
    help="Print what an operation does and its parameters.",
)
@options.reading
@options.strict
@options.as_json
@options.machine
def command(  # noqa: PLR0913  # one argument for each option
    data: str,
    chain: str,
    out: Path | None,
    curve: Path | None,
    in_place: bool,
    as_json: bool,
    strict: bool,
    reading: "Reading",
    machine: options.Machine,
) -> None:
    """Sharpen, smooth, stretch, denoise, compress: one picture or a folder.

    An operation is name:key=value,key=value; several run in order, nothing rounded between them.
    The output keeps size, depth (16 bits stay 16), transparency, ICC profile and EXIF, turned
    upright. A folder, a zip, a parquet or a glob is edited into a folder; a run that was
    interrupted goes on where it was.
    """
    operations.parse(chain)  # what is misspelt is said before torch is imported
    from imrep.cli import engine
    from imrep.tasks.editing import Chain

    threads = engine.start(threads=machine.threads, seed=machine.seed)
    steps = Chain(chain, engine.device(machine.device), reading)
    screen.remark(f"{steps.spec}, {threads} threads, {steps.device}", not machine.verbose)
    with _remarked(machine.quiet), screen.Meter(machine.quiet) as meter:
        if _holds_many(data):
            if in_place or curve:
                raise BadParameter(
                    f"edit takes --in-place and --curve with one picture, got {data}. Use -o."
                )
            _folder(data, steps, out, (as_json, strict, machine.quiet), meter)
        else:
            _picture(Path(data), steps, (out, in_place), curve, as_json, meter)


def _holds_many(data: str) -> bool:
    from imrep import datasets

    return datasets.holds_many(data)


def _picture(
    path: Path,
    chain: "Chain",
    where: tuple[Path | None, bool],
    curve: Path | None,
    as_json: bool,
    meter: screen.Meter,
) -> None:
    from imrep.cli import outputs
    from imrep.io.files import write_atomic
    from imrep.io.marks import marked
    from imrep.tasks.editing import edit

    out, in_place = where
    unnamed = out is None and not in_place
    if in_place and out is not None:
        raise BadParameter(f"edit writes to {out} or in place, not both. Leave one out.")
    out = path if in_place else out or Path(_name(path, chain))
    others = [Path(other) for other in chain.reads]
    for read in others if in_place else [path, *others]:
        if out.exists() and read.exists() and out.samefile(read):
            raise BadParameter(f"edit would write over {read}. Use another -o, or --in-place.")
    with screen.writing(out):
        found = edit(path, chain, out, meter, curve=curve)
        if unnamed:  # a picture that is given a name may be data again
            write_atomic(out, marked(out.read_bytes(), outputs.mark("edit", path)))
    if as_json:
        options.write_json(_edited(found, chain))
        return
    click.echo(_line(found))
    if curve:
        _show(found.curve)
        click.echo(f"{curve}  likeness against bits per pixel")


def _folder(
    data: str, chain: "Chain", out: Path | None, how: tuple[bool, bool, bool], meter: screen.Meter
) -> None:
    from imrep import datasets
    from imrep.tasks.editfolder import edit_all

    packs = chain.unpacks and Path(data).is_dir()  # whose files are no pictures
    found = datasets.find(f"{glob.escape(data)}/**/*.imr" if packs else data)
    out = out or Path(f"{Path(data).resolve().stem if packs else found.name}.{chain.slug}")
    read = [item.file.resolve() for item in found.items if item.file]
    inside = Path(data).is_dir() and out.resolve().is_relative_to(Path(data).resolve())
    if inside or any(file.is_relative_to(out.resolve()) for file in read):
        raise BadParameter(
            f"edit would write among the pictures it reads, to {out}. Use another -o."
        )
    as_json, strict, quiet = how
    screen.notes(found.notes, quiet)
    with screen.writing(out, resumable=True):
        done = edit_all(found.items, chain, out, meter)
    if as_json:
        options.write_json(_facts(done, chain) | {"notes": list(found.notes)})
    else:
        _say(done)
    if strict and done.skipped:
        raise SystemExit(_SKIPPED)


def _name(path: Path, chain: "Chain") -> str:
    """Of the output, in the current folder: with the picture's own suffix, if that is written."""
    from imrep import images, packed

    if chain.packs:
        return f"{path.stem}{packed.SUFFIX}"
    suffix = path.suffix if path.suffix.lower() in images.SUFFIXES else ".png"
    return f"{path.stem}.{chain.slug}{suffix}"


@contextmanager
def _remarked(quiet: bool) -> Iterator[None]:
    """Warnings as remarks, each once."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        yield
    for text in dict.fromkeys(str(warning.message) for warning in caught):
        screen.remark(text, quiet)


def _line(found: "Edited") -> str:
    parts = [found.picture]
    if found.figures:
        parts.append(_packing(found.figures))
    if found.kept:
        parts.append("with " + ", ".join(found.kept))
    if found.lost:
        suffix = found.path.suffix.removeprefix(".").upper()
        parts.append(f"without {' and '.join(found.lost)}, which {suffix} cannot hold")
    return f"{found.path}  {'; '.join(parts)}; {found.seconds:.1f} s"


def _packing(figures: "Figures") -> str:
    return (
        f"{figures.bits_per_pixel:.3g} bits per pixel ({figures.bytes:,.0f} bytes), "
        f"PSNR {figures.psnr:.1f} dB, SSIM {figures.ssim:.3f}"
    )


def _show(points: "Sequence[Point]") -> None:
    click.secho(
        f"  {'':10}  {'quality':>7}  {'bits/pixel':>10}  {'PSNR':>5}  {'SSIM':>5}", dim=True
    )
    for each in points:
        figures = f"{each.bits_per_pixel:10.3f}  {each.psnr:5.1f}  {each.ssim:5.3f}"
        click.echo(f"  {each.method:10}  {each.quality:7g}  {figures}")


def _edited(found: "Edited", chain: "Chain") -> dict[str, Any]:
    curve = [each._asdict() for each in found.curve]
    return asdict(found) | {"path": str(found.path), "chain": chain.spec, "curve": curve}


def _facts(done: "Folder", chain: "Chain") -> dict[str, Any]:
    return {
        "path": str(done.path),
        "chain": chain.spec,
        "written": done.written,
        "figures": None if done.figures is None else asdict(done.figures),
        "skipped": [{"path": path, "reason": reason} for path, reason in done.skipped],
        "resumed": done.resumed,
        "seconds": round(done.seconds, 3),
    }


def _say(done: "Folder") -> None:
    if done.skipped:
        click.echo(f"{len(done.skipped):,} skipped, with reasons in {done.skipped_path}")
    if done.resumed:
        click.echo(f"{done.resumed:,} were done already")
    many = f"{done.written:,} picture" + "s" * (done.written != 1)
    means = f", on average {_packing(done.figures)}" if done.figures else ""
    click.echo(f"{done.path}  {many}{means}; {done.seconds:.1f} s")
