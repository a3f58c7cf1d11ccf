"""`imrep edit DATA CHAIN`: operations on one picture or on a folder of them."""

import glob
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imrep.cli import edit_lines, options, outputs, screen
from imrep.errors import BadParameter
from imrep.registry import operations, specs

if TYPE_CHECKING:
    from imrep.edit.file import Chain
    from imrep.images import Reading

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
    The output keeps size, type of numbers (16 bits stay 16, in TIFF floats stay floats), colours,
    transparency, compression and metadata, and stands upright; what its format cannot hold is
    said, and --in-place refused. A folder, a zip, a parquet or a glob is edited into a folder; a
    run that was interrupted goes on where it was.
    """
    operations.parse(chain)  # what is misspelt is said before torch is imported
    from imrep.cli import engine
    from imrep.edit.file import Chain

    threads = engine.start(threads=machine.threads, seed=machine.seed)
    steps = Chain(chain, engine.device(machine.device), reading)
    screen.remark(f"{steps.spec}, {threads} threads, {steps.device}", not machine.verbose)
    with screen.warnings_remarked(machine.quiet), screen.Meter(machine.quiet) as meter:
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
    from imrep.edit.file import edit

    out, in_place = where
    if in_place and out is not None:
        raise BadParameter(f"edit writes to {out} or in place, not both. Leave one out.")
    mark = "" if in_place or out else outputs.mark("edit", path)
    out = path if in_place else out or _name(path, chain)
    if mark:
        outputs.spare(out, mark, path)
    others = [Path(other) for other in chain.reads]
    for read in others if in_place else [path, *others]:
        if out.exists() and read.exists() and out.samefile(read):
            raise BadParameter(f"edit would write over {read}. Use another -o, or --in-place.")
    with screen.writing(out):
        found = edit(path, chain, out, meter, curve=curve, in_place=in_place, mark=mark)
    if as_json:
        options.write_json(edit_lines.facts(found, chain.spec))
        return
    click.echo(edit_lines.line(found))
    if curve:
        edit_lines.show_curve(found.curve)
        click.echo(f"{curve}  likeness against bits per pixel")


def _folder(
    data: str, chain: "Chain", out: Path | None, how: tuple[bool, bool, bool], meter: screen.Meter
) -> None:
    from imrep import datasets
    from imrep.edit.folder import edit_all

    packs = chain.unpacks and Path(data).is_dir()  # whose files are no pictures
    found = datasets.find(f"{glob.escape(data)}/**/*.imr" if packs else data)
    out = out or Path(f"{outputs.name_of(data)}.{chain.slug}")
    outputs.among(data, out, [item.file for item in found.items if item.file], "edit")
    as_json, strict, quiet = how
    screen.notes(found.notes, quiet)
    with screen.writing(out, resumable=True):
        done = edit_all(found.items, chain, out, meter)
    if as_json:
        options.write_json(edit_lines.folder_facts(done, chain.spec) | {"notes": list(found.notes)})
    else:
        edit_lines.say(done)
    if strict and done.skipped:
        raise SystemExit(_SKIPPED)


def _name(path: Path, chain: "Chain") -> Path:
    """Of the output, in the current folder: with the suffix that fits what the picture is."""
    from imrep.codec import packed
    from imrep.edit.file import suffix_of

    if chain.packs:
        return outputs.beside(path, suffix=packed.SUFFIX)
    return outputs.beside(path, chain.slug, suffix=suffix_of(path))
