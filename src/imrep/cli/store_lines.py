"""Lines and JSON of what a run did to a store."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from imrep.store.summary import Summary


def page(summary: "Summary") -> str:
    """A line with the store, and a line for each thing that happened."""
    rate = f", {summary.rate:,.0f} images/s" if summary.rate else ""
    lines = [
        f"{click.style(str(summary.path), bold=True)}  {summary.rows:,} vectors of "
        f"{summary.dim:,} numbers, version {summary.version}, {summary.seconds:.1f} s{rate}"
    ]
    counts = {
        "embedded": summary.encoded,
        "with a stored vector (the same bytes)": summary.reused,
        "marked deleted": summary.deleted,
        "unchanged": summary.current,
    }
    lines.append(", ".join(f"{count:,} {what}" for what, count in counts.items() if count))
    if summary.skipped:
        lines.append(f"{len(summary.skipped):,} skipped, with reasons in {summary.skipped_path}")
    if summary.fitted_path:
        lines.append(f"{summary.fitted_path}/  fitted on {summary.fitted_on:,} images")
    return "\n".join(line for line in lines if line)


def facts(summary: "Summary") -> dict[str, object]:
    """The same as JSON values."""
    return {
        "out": str(summary.path),
        "rows": summary.rows,
        "dim": summary.dim,
        "version": summary.version,
        "embedded": summary.encoded,
        "reused": summary.reused,
        "deleted": summary.deleted,
        "unchanged": summary.current,
        "skipped": [{"path": path, "reason": reason} for path, reason in summary.skipped],
        "fitted": str(summary.fitted_path) if summary.fitted_path else None,
        "seconds": round(summary.seconds, 3),
        "images_per_second": round(summary.rate, 2),
    }
