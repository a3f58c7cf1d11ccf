"""run.json, log.jsonl and the pictures of a training run -> one self-contained HTML page."""

import base64
import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from imrep import training_record
from imrep.errors import BadData
from imrep.io.files import write_text
from imrep.io.names import command_line
from imrep.report import inline, training_charts, words
from imrep.report.tables import Cell, Column, Line, Table
from imrep.training_record import HELD_OUT, MODEL, PICTURES, REPORT, Run

_STYLES = ("style.css", "plots.css", "tables.css", "pictures.css", "training.css", "print.css")
_SCRIPTS = ("page.js", "plots.js", "tables.js", "print.js")
_MAX_LISTED = 200  # images named in the page
_COLUMN_PX = 220  # largest width of an example picture
_RECIPE = {
    "optimiser": "optimiser",
    "learning rate": "learning_rate",
    "schedule": "schedule",
    "warm-up, share of the steps": "warmup",
    "weight decay": "weight_decay",
    "images a step": "batch",
    "size, px": "size",
    "crop, px": "crop",
    "augmentation": "augment",
    "seed": "seed",
    "bits": "precision",
    "processes": "processes",
}


def write(folder: Path) -> Path:
    """Write the page of a finished run, complete or not at all.

    Raises:
        BadData: The folder holds no finished run.
    """
    run = training_record.read_run(folder)
    if run is None or not run.result:
        raise BadData(f"a training report needs a finished run, got none in {folder}.")
    html = inline.template("training.html.jinja").render(_context(folder, run))
    write_text(folder / REPORT, html)
    return folder / REPORT


def _context(folder: Path, run: Run) -> dict[str, Any]:
    """Everything that the template refers to."""
    lines = training_record.read_log(folder)
    charts = training_charts.charts(lines)
    held_out = _held_out(folder)
    tables = {"log": _log(lines), "choices": _choices(run.choices), "classes": _classes(held_out)}
    evaluation = run.result.get("evaluation", {})
    measured = {f"measured-{i}": _measured(t) for i, t in enumerate(evaluation.get("tables", ()))}
    scripted = {chart.id: {"wide": chart.wide, "narrow": chart.narrow} for chart in charts}
    return {
        "run": run,
        "facts": run.facts,
        "headline": _headline(run, lines),
        "charts": {chart.id: chart for chart in charts},
        "svg": {chart.id: inline.svg(chart) for chart in charts},
        "tables": tables | measured,
        "measured": [*measured],
        "numbers": [(n, f"{v:.4g}") for n, v in evaluation.get("numbers", {}).items()],
        "held_out": held_out[:_MAX_LISTED],
        "unlisted": max(0, len(held_out) - _MAX_LISTED),
        "picture_px": _COLUMN_PX * len(run.captions),
        "picture": _picture(folder) if run.captions else "",
        "recipe": _recipe(run),
        "command": command_line(["imrep", "embed", "DATA", str(folder / MODEL), "-o", "v.parquet"]),
        "model": repr(str(folder / MODEL)),
        "style": Markup(inline.texts_of(*_STYLES)),
        "script": Markup(inline.texts_of(*_SCRIPTS)),
        "vega": Markup(inline.vega()),
        "data": inline.as_json({"charts": scripted}),
        "emphasised": inline.emphasised,
        "breakable": inline.breakable,
        "findings": None,
        "legend_entries": (),
        "words": words,
    }


def _headline(run: Run, lines: Sequence[training_record.Line]) -> str:
    """What was trained on what, and what became of the held-out loss."""
    facts, result = run.facts, run.result
    first = next((line.held_out for line in lines if line.held_out is not None), None)
    best = run.identity.get("selects_best", True)
    loss = result["best_held_out" if best else "held_out"]
    start = f" from {first:.4g}" if first is not None else ""
    text = (
        f"{facts['title']}, trained on {words.several(facts['trained'], 'image')} for "
        f"{words.several(result['steps'], 'step')}. The loss of "
        f"{words.several(facts['held_out'], 'held-out image')} went{start} to **{loss:.4g}**"
    )
    if best and result["best_step"] != result["steps"]:
        text += f", after step {words.count(result['best_step'])}: the model has the weights then"
    return f"{text}."


def _log(lines: Sequence[training_record.Line]) -> Table:
    """The lines with an evaluation."""
    titles = ("epoch", "loss", "held-out loss", "learning rate", "gradient", "images/s", "seconds")
    rows = []
    for line in lines:
        if line.held_out is None:
            continue
        values = (line.epoch, line.loss, line.held_out, line.learning_rate, line.gradient)
        cells = [_number(value) for value in values]
        cells += [_count(line.images_per_second), _count(line.seconds)]
        rows.append(Line(name=words.count(line.step), cells=cells))
    columns = [Column(title=title) for title in titles]
    return Table(caption="Evaluations", first="step", columns=columns, lines=rows)


def _choices(choices: Sequence[dict[str, Any]]) -> Table:
    """The settings that were tried, and the loss of held-out images under each."""
    lines = [
        Line(
            name=choice["setting"],
            cells=[_number(choice["held_out"]), _count(choice["seconds"])],
            standing="pick" if choice["chosen"] else "other",
            note="chosen" if choice["chosen"] else "",
        )
        for choice in choices
    ]
    columns = [Column(title="held-out loss", low_first=True), Column(title="seconds")]
    return Table(caption="Settings tried", first="setting", columns=columns, lines=lines)


def _classes(held_out: Sequence[tuple[str, str]]) -> Table:
    """How many images of each class are held out."""
    counts = Counter(label for _, label in held_out if label)
    lines = [
        Line(name=label, cells=[Cell(text=words.count(n), value=n)])
        for label, n in sorted(counts.items())
    ]
    columns = [Column(title="held-out images")]
    return Table(caption="Held-out images by class", first="class", columns=columns, lines=lines)


def _measured(table: dict[str, Any]) -> Table:
    """A table of the representation's own evaluation."""
    lines = [Line(name=name, cells=[*map(_number, values)]) for name, values in table["rows"]]
    columns = [Column(title=title) for title in table["columns"]]
    return Table(caption=table["title"], first=table["first"], columns=columns, lines=lines)


def _number(value: float | None) -> Cell:
    return Cell(text="–" if value is None else f"{value:.4g}", value=value)


def _count(value: float | None) -> Cell:
    return Cell(text=words.count(value), value=value)


def _held_out(folder: Path) -> list[tuple[str, str]]:
    """(path, label) of every held-out image."""
    with (folder / HELD_OUT).open(encoding="utf-8", newline="") as file:
        return [(row["path"], row["label"]) for row in csv.DictReader(file)]


def _picture(folder: Path) -> str:
    """The example pictures as a data URI."""
    return f"data:image/png;base64,{base64.b64encode((folder / PICTURES).read_bytes()).decode()}"


def _recipe(run: Run) -> list[tuple[str, str]]:
    """Names and values of the settings, and what the run consisted of."""
    identity, facts = run.identity, run.facts
    pairs = [(title, identity[name]) for title, name in _RECIPE.items()]
    texts = [
        (title, str(value) if value not in ("", 0) or title == "seed" else "none")
        for title, value in pairs
    ]
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return [
        ("representation", str(identity["spec"])),
        ("parameters", words.count(facts["parameters"])),
        *texts,
        ("device", str(facts["device"])),
        ("time", f"{words.count(run.result['seconds'])} s"),
        ("versions", versions),
    ]
