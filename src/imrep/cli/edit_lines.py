"""What `imrep edit` prints of the files it has written."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from imrep.edit.file import EditedFile
    from imrep.edit.folder import EditedFolder, MeasurementRange
    from imrep.edit.measurements import Measurement
    from imrep.edit.rate_distortion import Point, RateDistortion


def file_line(edited: "EditedFile") -> str:
    """An output, what it holds, and how long it took."""
    parts = [edited.image]
    if edited.figures:
        parts.append(_rate_distortion(edited.figures))
    parts += [_measurement(measurement) for measurement in edited.measured]
    if edited.unchanged:
        parts.append("nothing changed")
    if edited.preserved:
        parts.append("with " + ", ".join(edited.preserved))
    parts += _losses(edited.lost, edited.path.suffix)
    return f"{edited.path}  {'; '.join(parts)}; {edited.seconds:.1f} s"


def _losses(items: Sequence[str], suffix: str) -> list[str]:
    parts = [item for item in items if " became " in item]
    descriptions = [item for item in items if "description" in item]
    lost = [item for item in items if item not in (*parts, *descriptions)]
    if descriptions:
        parts.append(f"without {' and '.join(descriptions)}, true of that file only")
    if lost:
        format_ = suffix.removeprefix(".").upper()
        parts.append(f"without {' and '.join(lost)}, which {format_} cannot hold")
    return parts


def _measurement(measurement: "Measurement") -> str:
    values = ", ".join(f"{name} {value:.3g}" for name, value in measurement.values.items())
    return f"{measurement.operation}: {measurement.note or values}"


def _rate_distortion(figures: "RateDistortion") -> str:
    return (
        f"{figures.bits_per_pixel:.3g} bits per pixel ({figures.bytes:,.0f} bytes), "
        f"PSNR {figures.psnr:.1f} dB, SSIM {figures.ssim:.3f}"
    )


def print_curve(points: "Sequence[Point]") -> None:
    """The rate–distortion curve as a table."""
    click.secho(
        f"  {'':10}  {'quality':>7}  {'bits/pixel':>10}  {'PSNR':>5}  {'SSIM':>5}", dim=True
    )
    for point in points:
        figures = f"{point.bits_per_pixel:10.3f}  {point.psnr:5.1f}  {point.ssim:5.3f}"
        click.echo(f"  {point.method:10}  {point.quality:7g}  {figures}")


def file_json(edited: "EditedFile", chain: str) -> dict[str, Any]:
    """One image for `--json`."""
    curve = [point._asdict() for point in edited.curve]
    return asdict(edited) | {"path": str(edited.path), "chain": chain, "curve": curve}


def folder_json(edited: "EditedFolder", chain: str) -> dict[str, Any]:
    """A folder for `--json`."""
    return {
        "path": str(edited.path),
        "chain": chain,
        "written": edited.image_count,
        "figures": None if edited.figures is None else asdict(edited.figures),
        "unchanged": edited.unchanged,
        "lost": dict(edited.lost),
        "measured": [asdict(measured) for measured in edited.measured],
        "skipped": [{"path": path, "reason": reason} for path, reason in edited.skipped],
        "resumed": edited.resumed,
        "seconds": round(edited.seconds, 3),
    }


def print_folder(edited: "EditedFolder") -> None:
    """A folder on the screen."""
    if edited.skipped:
        click.echo(f"{len(edited.skipped):,} skipped, with reasons in {edited.skipped_path}")
    if edited.resumed:
        click.echo(f"{edited.resumed:,} were done already")
    for measured in edited.measured:
        click.echo(_ranges(measured))
    for loss, count in edited.lost:
        click.echo(f"{count:,} {'has' if count == 1 else 'have'} lost or changed: {loss}")
    if edited.unchanged:
        click.echo(f"{edited.unchanged:,} unchanged")
    images = f"{edited.image_count:,} image" + "s" * (edited.image_count != 1)
    means = f", on average {_rate_distortion(edited.figures)}" if edited.figures else ""
    click.echo(f"{edited.path}  {images}{means}; {edited.seconds:.1f} s")


def _ranges(measured: "MeasurementRange") -> str:
    """What an operation measured in a folder."""
    ranges = [
        f"{name} {low:.3g}" if low == high else f"{name} {low:.3g} to {high:.3g}"
        for name, (low, high) in measured.ranges.items()
    ]
    notes = [f"{note} (in {count:,})" for note, count in measured.notes.items()]
    return f"{measured.operation}: {'; '.join([', '.join(ranges), *notes] if ranges else notes)}"
