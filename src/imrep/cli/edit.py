"""`imrep edit DATA CHAIN`: operations on one image or on a folder of them."""

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
_WIDTH = 96  # columns of --about


class _EditCommand(click.Command):
    """A command whose help ends with the list of operations."""

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Operations"):
            formatter.write_dl(
                [(name, operations.entry(name).summary) for name in operations.names()]
            )
        super().format_epilog(context, formatter)


def _about(context: click.Context, param: click.Parameter, name: str | None) -> None:
    """Print the documentation of an operation and exit."""
    if name is None or context.resilient_parsing:
        return
    operation = operations.entry(name)
    prose, _, sections = operation.doc.partition("\n\nArgs:\n")
    _, _, references = sections.partition("References:\n")
    click.secho(operation.name, bold=True)
    for paragraph in prose.split("\n\n"):
        click.echo(_filled(paragraph, "  "))
    for parameter in operation.parameters:
        key = parameter.name.rstrip("_")
        click.echo(f"\n  {key}={'FILE' if parameter.needed else specs.text(parameter.default)}")
        click.echo(_filled(parameter.help, "      "))
    if references:
        click.echo("\n" + textwrap.indent(textwrap.dedent(references), "  "))
    context.exit()


def _filled(text: str, indent: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=indent, subsequent_indent=indent)


@click.command(
    cls=_EditCommand,
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
@click.option("-o", "--out", type=options.OUTPUT, help="Image to write; for a folder, a folder.")
@click.option(
    "--curve",
    type=options.OUTPUT,
    help="After compress: PNG or SVG of PSNR and SSIM against bits per pixel, with JPEG's.",
)
@click.option("--in-place", is_flag=True, help="Overwrite the image itself.")
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
    """Sharpen, smooth, stretch, denoise, compress: one image or a folder.

    An operation is name:key=value,key=value; several run in order, with no rounding between them.
    The output has the input's size, number type (16 bits stay 16, in TIFF floats stay floats),
    colours, transparency, compression and metadata, and is upright. What its format cannot hold is
    reported, and --in-place is then refused. A folder, a zip, a parquet or a glob is edited into a
    folder; an interrupted run is continued by running the same command again.
    """
    with screen.warnings_remarked(machine.quiet):
        operations.parse(chain)  # misspellings are reported before torch is imported
        from imrep.cli import engine
        from imrep.edit.chain import Chain

        threads = engine.start(threads=machine.threads, seed=machine.seed)
        steps = Chain(chain, engine.device(machine.device), reading)
        screen.remark(f"{steps.spec}, {threads} threads, {steps.device}", not machine.verbose)
        with screen.Meter(machine.quiet) as meter:
            if _is_dataset(data):
                _check_single(data, in_place, curve)
                skipped = _edit_folder(data, steps, out, as_json, machine.quiet, meter)
            else:
                _edit_file(Path(data), steps, (out, in_place), curve, as_json, meter)
                skipped = 0
    if strict and skipped:
        raise SystemExit(_SKIPPED)


def _check_single(data: str, in_place: bool, curve: Path | None) -> None:
    """Refuse the options that one image takes and a dataset does not."""
    if in_place or curve:
        raise BadParameter(f"edit takes --in-place and --curve with one image, got {data}. Use -o.")


def _is_dataset(data: str) -> bool:
    from imrep import datasets

    return datasets.holds_many(data)


def _edit_file(
    path: Path,
    chain: "Chain",
    output: tuple[Path | None, bool],
    curve: Path | None,
    as_json: bool,
    meter: screen.Meter,
) -> None:
    from imrep.edit.file import edit_file

    out, in_place = output
    if in_place and out is not None:
        raise BadParameter(f"edit writes to {out} or in place, not both. Leave one out.")
    mark = "" if in_place or out else outputs.mark("edit", path)
    out = path if in_place else out or _default_name(path, chain)
    if mark:
        outputs.check_replaceable(out, mark, path)
    additional = [Path(path) for path in chain.reads]
    for source in additional if in_place else [path, *additional]:
        if out.exists() and source.exists() and out.samefile(source):
            raise BadParameter(f"edit would write over {source}. Use another -o, or --in-place.")
    with screen.writing(out):
        edited = edit_file(path, chain, out, meter, curve=curve, in_place=in_place, mark=mark)
    if as_json:
        options.write_json(edit_lines.file_json(edited, chain.spec))
        return
    click.echo(edit_lines.file_line(edited))
    if curve:
        edit_lines.print_curve(edited.curve)
        click.echo(f"{curve}  PSNR and SSIM against bits per pixel")


def _edit_folder(
    data: str, chain: "Chain", out: Path | None, as_json: bool, quiet: bool, meter: screen.Meter
) -> int:
    """Edit a dataset and report it; the number of images that were skipped."""
    from imrep import datasets
    from imrep.edit.folder import edit_folder

    packed = chain.unpacks and Path(data).is_dir()  # holds .imr files instead of images
    dataset = datasets.find(f"{glob.escape(data)}/**/*.imr" if packed else data)
    out = out or Path(f"{outputs.name_of(data)}.{chain.slug}")
    outputs.check_separate(data, out, [item.file for item in dataset.items if item.file], "edit")
    screen.notes(dataset.notes, quiet)
    with screen.writing(out, resumable=True):
        edited = edit_folder(dataset.items, chain, out, meter)
    if as_json:
        summary = edit_lines.folder_json(edited, chain.spec)
        options.write_json(summary | {"notes": list(dataset.notes)})
    else:
        edit_lines.print_folder(edited)
    return len(edited.skipped)


def _default_name(path: Path, chain: "Chain") -> Path:
    """Of the output, in the current folder, with the suffix of a format that holds it."""
    from imrep.codec.packed import SUFFIX
    from imrep.edit.file import output_suffix

    if chain.packs:
        return outputs.beside(path, suffix=SUFFIX)
    return outputs.beside(path, chain.slug, suffix=output_suffix(path))
