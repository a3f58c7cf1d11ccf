"""`imrep pose IMAGE...`: the joints of persons, or of whatever was trained, drawn and listed."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imrep.cli import options, outputs, screen
from imrep.errors import BadParameter
from imrep.io.names import printable
from imrep.plural import several

if TYPE_CHECKING:
    from imrep.cli.pose_folder import PosedFolder, Settings
    from imrep.images import Reading

_SPEC, _LONGEST, _AT_LEAST = "composite", 640, 0.2
_SKIPPED = 3  # exit code under --strict
_DESCRIPTION = "imrep pose"


@click.command(
    epilog=options.example(
        "imrep pose street.jpg -r composite:weights=people",
        "imrep pose street.jpg cat.jpg -r composite:weights=people -o posed/ --json",
        "imrep pose frames/ -r composite:weights=people -o poses/",
    )
)
@click.argument("data", metavar="IMAGE...", nargs=-1, required=True)
@click.option(
    "-o",
    "--out",
    type=options.OUTPUT,
    help="PNG to write, with a .json beside it; of several images or a folder, a folder.",
)
@click.option(
    "-r",
    "--representation",
    "spec",
    type=options.SPEC,
    metavar="SPEC",
    default=_SPEC,
    show_default=True,
    help="Composite fields, with their weights.",
)
@click.option(
    "--longest",
    type=options.SIDE,
    metavar="N",
    default=_LONGEST,
    show_default=True,
    help="Images longer than so many pixels are made smaller; native leaves them.",
)
@click.option(
    "--at-least",
    type=options.Number(0, 1),
    metavar="X",
    default=_AT_LEAST,
    show_default=True,
    help="Leave out poses with a lower score.",
)
@click.option("--complete", is_flag=True, help="Give every joint of a pose, however uncertain.")
@options.reading
@options.strict
@options.as_json
@options.machine
def command(  # noqa: PLR0913  # one argument for each option
    data: tuple[str, ...],
    out: Path | None,
    spec: str,
    longest: int,
    at_least: float,
    complete: bool,
    as_json: bool,
    strict: bool,
    reading: "Reading",
    machine: options.Machine,
) -> None:
    """Find the poses of persons, or of whatever was trained.

    Skeletons are drawn over the image, and written in COCO's form: keypoints (x, y, confidence) in
    pixels of the file, a box and a score for each pose. IMAGE is an image, several, or a folder,
    such as one of a video's frames. Of a folder every image gets a PNG of its own name, and all
    poses are in poses.json; an interrupted run resumes when the command is repeated.
    """
    from imrep import factory
    from imrep.cli import engine, pose_folder
    from imrep.represent.spatial.composite import Composite, Thresholds

    threads = engine.start(threads=machine.threads, seed=machine.seed)
    device = engine.device(machine.device)
    with engine.downloads(machine.download):
        rep = factory.get(spec).eval().to(device)
    if not isinstance(rep, Composite):
        raise BadParameter(f"pose needs a representation with poses, got {spec}. Use composite.")
    settings = pose_folder.Settings(
        rep, longest or None, at_least, Thresholds(force_complete=complete), device, reading
    )
    screen.remark(f"{rep.spec}, {several(threads, 'thread')}, {device}", not machine.verbose)
    if len(data) == 1 and Path(data[0]).is_file() and not _holds_many(data[0]):
        _single(Path(data[0]), out, settings, as_json)
        return
    finished = _folder(data, out, settings, machine)
    if as_json:
        options.write_json(finished.facts)
    else:
        _print(finished)
    if strict and finished.skipped:
        raise SystemExit(_SKIPPED)


def _holds_many(data: str) -> bool:
    from imrep import datasets

    return datasets.holds_many(data)


def _single(path: Path, out: Path | None, settings: "Settings", as_json: bool) -> None:
    """One image: its picture, and its poses beside it."""
    from imrep import images
    from imrep.cli import pose_folder
    from imrep.io.files import write_text

    mark = outputs.mark("pose", path)
    out = outputs.ready(out, outputs.beside(path, "pose"), mark, path)
    listed = out.with_suffix(".json")
    _check_list(listed)
    posed = pose_folder.pose(images.read(path, **settings.reading.keywords), settings)
    document = posed.document([(path.name, posed)], settings.rep.joints, _DESCRIPTION)
    with screen.writing(out):
        images.write(out, posed.picture, mark=mark)
        write_text(listed, json.dumps(document, indent=1) + "\n")
    if as_json:
        options.write_json({"out": str(out), **document})
        return
    count = several(len(posed.poses), "pose")
    click.secho(f"{count} in {printable(path.name)}", bold=True)
    for pose in posed.poses:
        left, top, width, height = (round(v) for v in pose.box)
        joints = f"{int((pose.joints[:, 0] > 0).sum())} joints"
        click.echo(f"{pose.score:6.2f}  {joints:>10}  {width} × {height} at ({left}, {top})")
    click.echo(f"{printable(out)}  {printable(listed)}")


def _check_list(path: Path) -> None:
    """Refuse to write over a list of others."""
    if path.is_dir() or (path.exists() and not _is_ours(path)):
        raise BadParameter(
            f"pose would write over {path}, which it did not write. Move it away, or give another "
            "name with -o."
        )


def _is_ours(path: Path) -> bool:
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    info = content.get("info") if isinstance(content, dict) else None
    return isinstance(info, dict) and info.get("description") == _DESCRIPTION


def _folder(
    data: tuple[str, ...], out: Path | None, settings: "Settings", machine: options.Machine
) -> "PosedFolder":
    from imrep import datasets
    from imrep.cli import pose_folder

    out = out or Path(f"{outputs.name_of(data[0]) if len(data) == 1 else 'poses'}.pose")
    dataset = datasets.find(data[0] if len(data) == 1 else list(data))
    screen.notes(dataset.notes, machine.quiet)
    files = [item.file for item in dataset.items if item.file is not None]
    for folder in filter(os.path.isdir, data):
        outputs.check_separate(folder, out, files, "pose")
    with screen.writing(out, resumable=True), screen.Meter(machine.quiet) as meter:
        return pose_folder.pose_folder(dataset.items, settings, out, _DESCRIPTION, meter)


def _print(finished: "PosedFolder") -> None:
    count = several(finished.pose_count, "pose")
    click.secho(f"{count} in {several(finished.image_count, 'image')}", bold=True)
    if finished.skipped:
        listed = printable(str(finished.skipped_path))
        click.echo(f"{several(len(finished.skipped), 'file')} skipped, with reasons in {listed}")
    if finished.resumed:
        click.echo(f"{finished.resumed:,} were done already")
    click.echo(f"{printable(finished.path)}  {finished.seconds:.1f} s")
