"""What `imrep edit` prints of the pictures it has written."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from imrep.edit.file import Edited
    from imrep.edit.folder import Folder, Spread
    from imrep.edit.measurements import Measurement
    from imrep.edit.metadata import Figures
    from imrep.edit.rate_distortion import Point


def line(found: "Edited") -> str:
    """A picture, what became of it, and how long it took."""
    parts = [found.picture]
    if found.figures:
        parts.append(_packing(found.figures))
    parts += [_measured(each) for each in found.measured]
    if found.unchanged:
        parts.append("nothing changed")
    if found.kept:
        parts.append("with " + ", ".join(found.kept))
    parts += _lost(found.lost, found.path.suffix)
    return f"{found.path}  {'; '.join(parts)}; {found.seconds:.1f} s"


def _lost(words: Sequence[str], suffix: str) -> list[str]:
    parts = [each for each in words if " became " in each]
    descriptions = [each for each in words if "description" in each]
    lost = [each for each in words if each not in (*parts, *descriptions)]
    if descriptions:
        parts.append(f"without {' and '.join(descriptions)}, true of that file only")
    if lost:
        holder = suffix.removeprefix(".").upper()
        parts.append(f"without {' and '.join(lost)}, which {holder} cannot hold")
    return parts


def _measured(found: "Measurement") -> str:
    values = ", ".join(f"{name} {value:.3g}" for name, value in found.values.items())
    return f"{found.operation}: {found.note or values}"


def _packing(figures: "Figures") -> str:
    return (
        f"{figures.bits_per_pixel:.3g} bits per pixel ({figures.bytes:,.0f} bytes), "
        f"PSNR {figures.psnr:.1f} dB, SSIM {figures.ssim:.3f}"
    )


def show_curve(points: "Sequence[Point]") -> None:
    """A table of qualities."""
    click.secho(
        f"  {'':10}  {'quality':>7}  {'bits/pixel':>10}  {'PSNR':>5}  {'SSIM':>5}", dim=True
    )
    for each in points:
        figures = f"{each.bits_per_pixel:10.3f}  {each.psnr:5.1f}  {each.ssim:5.3f}"
        click.echo(f"  {each.method:10}  {each.quality:7g}  {figures}")


def facts(found: "Edited", chain: str) -> dict[str, Any]:
    """A picture for `--json`."""
    curve = [each._asdict() for each in found.curve]
    return asdict(found) | {"path": str(found.path), "chain": chain, "curve": curve}


def folder_facts(done: "Folder", chain: str) -> dict[str, Any]:
    """A folder for `--json`."""
    return {
        "path": str(done.path),
        "chain": chain,
        "written": done.written,
        "figures": None if done.figures is None else asdict(done.figures),
        "unchanged": done.unchanged,
        "lost": dict(done.lost),
        "measured": [asdict(each) for each in done.measured],
        "skipped": [{"path": path, "reason": reason} for path, reason in done.skipped],
        "resumed": done.resumed,
        "seconds": round(done.seconds, 3),
    }


def say(done: "Folder") -> None:
    """A folder on the screen."""
    if done.skipped:
        click.echo(f"{len(done.skipped):,} skipped, with reasons in {done.skipped_path}")
    if done.resumed:
        click.echo(f"{done.resumed:,} were done already")
    for each in done.measured:
        click.echo(_spread(each))
    for words, count in done.lost:
        click.echo(f"{count:,} {'has' if count == 1 else 'have'} lost or changed: {words}")
    if done.unchanged:
        click.echo(f"{done.unchanged:,} came out as they were")
    many = f"{done.written:,} picture" + "s" * (done.written != 1)
    means = f", on average {_packing(done.figures)}" if done.figures else ""
    click.echo(f"{done.path}  {many}{means}; {done.seconds:.1f} s")


def _spread(found: "Spread") -> str:
    """What an operation measured in a folder."""
    ranges = [
        f"{name} {low:.3g}" if low == high else f"{name} {low:.3g} to {high:.3g}"
        for name, (low, high) in found.ranges.items()
    ]
    notes = [f"{note} (in {count:,})" for note, count in found.notes.items()]
    return f"{found.operation}: {'; '.join([', '.join(ranges), *notes] if ranges else notes)}"
