"""The page: which charts, tables and images it has, and what its template and script are given."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from imrep import answers
from imrep.assets import Assets
from imrep.errors import BadData
from imrep.report import (
    combination,
    confusion,
    crossings,
    cues,
    curves,
    differences,
    frame,
    heat,
    inline,
    method,
    objects,
    quality,
    rankings,
    reliability,
    results_table,
    scatter,
    sizes,
    suspects,
    tables,
    use,
    values,
    words,
)
from imrep.report.examples import MAX_EXAMPLES, examples
from imrep.report.findings import PERTURBATIONS, Findings
from imrep.report.pictures import Sheet, sheet
from imrep.report.script_data import script_data
from imrep.results import Row

_MAX_BYTES = 8_000_000  # small enough to send by mail
_MAX_SKIPPED = 200  # files named in the page; skipped.csv has all
_STYLES = (
    *("style.css", "plots.css", "tables.css", "pictures.css", "suspects.css", "map.css"),
    *("confusion.css", "print.css"),  # the last: it overrules the others
)
_SCRIPTS = (
    *("page.js", "plots.js", "tables.js", "neighbours.js", "map.js", "confusion.js"),
    "print.js",
)
_MAX_NAMES = 4  # tied representations that the legend names


def render(rows: Sequence[Row], assets: Assets, folder: Path) -> str:
    """The page as one string.

    Raises:
        BadData: No verdict among the rows, or the page would be larger than 8 MB.
    """
    if sum(row.kind == "verdict" for row in rows) != 1:
        raise BadData(f"a report needs one verdict among {len(rows)} rows. Run imrep compare.")
    html = inline.template().render(_context(Findings(rows), assets, folder))
    if (size := len(html.encode())) > _MAX_BYTES:
        raise BadData(
            f"a report needs at most {_MAX_BYTES:,} bytes, got {size:,}. Compare fewer images."
        )
    return html


def _context(findings: Findings, assets: Assets, folder: Path) -> dict[str, Any]:
    """Everything that the template refers to."""
    counts, cells = confusion.counts(findings, assets), None
    if counts is not None:
        cells = confusion.script_data(findings, assets, folder)
    retrieved = objects.beside_classes(findings)
    charts = _charts(findings, assets) + (objects.charts(retrieved) if retrieved else [])
    numbers = values.predicted(findings, folder)
    if (predicted := values.chart(findings, numbers)) is not None:
        charts.append(predicted)
    by_id = _tables(findings, assets)
    if retrieved:
        by_id["object-differences"] = objects.differences_table(retrieved)
    return {
        "findings": findings,
        "assets": assets,
        "charts": {chart.id: chart for chart in charts},
        "svg": {chart.id: inline.svg(chart) for chart in charts},
        "tables": by_id,
        "matrix": [] if counts is None else confusion.matrix(assets.classes, counts),
        "cells": cells,
        "sure": reliability.sentence(findings),
        "use_code": use.code(findings, folder),
        "pick_saved": use.is_saved(folder),
        "has_answers": (folder / answers.FILENAME).is_file(),
        "retrieved": retrieved,
        "cues": cues.context(findings),
        "object_legend": _legend(retrieved) if retrieved else [],
        "sheets": {s.name: s for s in _sheets(folder, assets)},
        "reconstructions": _reconstructions(findings, assets),
        "emphasised": inline.emphasised,
        "breakable": inline.breakable,
        "legend_entries": _legend(findings),
        "facts": method.facts(findings),
        "method": method.sentences(findings),
        "controls": method.controls(findings),
        "untimed": scatter.untimed(findings),
        "perturbations": PERTURBATIONS,
        "max_skipped": _MAX_SKIPPED,
        "crossings": crossings.sentences(findings),
        "max_curves": sizes.MAX_CURVES,
        "quality": quality.quality(findings, assets),
        "plain_words": method.plain_words(findings),
        "looked_at": suspects.looked_at(findings, assets),
        "target": values.target(findings),
        "off_by": values.sentence(findings, numbers),
        "furthest": values.furthest(assets),
        "ranked_wrong": rankings.ranked_wrong(assets),
        "examples": examples(assets, findings.pick or findings.leader),
        "max_examples": MAX_EXAMPLES,
        "style": Markup(inline.texts_of(*_STYLES)),
        "script": Markup(inline.texts_of(*_SCRIPTS)),
        "vega": Markup(inline.vega()),
        "data": inline.as_json(script_data(findings, assets, charts) | {"confusion": cells}),
        "words": words,
    }


def _charts(findings: Findings, assets: Assets) -> list[frame.Chart]:
    """Those for which there are numbers."""
    charts = []
    if findings.measured("accuracy", findings.measure):
        charts.append(scatter.accuracy_and_cost(findings))
    if findings.leader and findings.measured("difference", findings.measure):
        charts.append(differences.differences(findings))
    if findings.measured("accuracy", curve := f"{findings.measure}_curve"):
        title = "labelled images per class →" if findings.labelled else "images to learn from →"
        charts.append(curves.curves(findings, curve, "labels", title))
    charts += sizes.charts(findings)
    charts += cues.charts(findings)
    if (chart := reliability.chart(findings)) is not None:
        charts.append(chart)
    if findings.measured("stability", "move"):
        charts.append(heat.stability(findings))
    if len(findings.measured("labelfree", "cka")) > 1:
        charts.append(heat.similarity(findings))
    return charts


def _tables(findings: Findings, assets: Assets) -> dict[str, tables.Table]:
    by_id = {
        "main": results_table.main(findings),
        "differences": tables.differences(findings),
        "combination": combination.weights(findings),
        "cues": cues.table(findings),
        "recalls": tables.recalls(findings),
        "probabilities": reliability.table(findings),
        "spread": results_table.spread(findings),
        "by_label": rankings.table(findings),
        "label_precisions": rankings.by_representation(findings),
        **sizes.by_size(findings),
    }
    for id, kind, metric, caption, text in (
        (
            "labels",
            "accuracy",
            f"{findings.measure}_curve",
            _curve_caption(findings),
            words.percent,
        ),
        ("stability", "stability", "move", "Displacement by perturbation", words.ratio),
        ("nearest", "stability", "top1", "Share whose original is the nearest", words.percent),
        ("similarity", "labelfree", "cka", "Similarity (CKA)", words.ratio),
    ):
        by_id[id] = tables.crossed(findings, kind, metric, caption, text)
    if (counts := confusion.counts(findings, assets)) is not None:
        by_id["errors"] = confusion.errors(assets.classes, counts)
    return by_id


def _curve_caption(findings: Findings) -> str:
    if findings.labelled:
        return "Accuracy by labels per class"
    return f"{findings.score.capitalize()} by images to learn from"


def _reconstructions(findings: Findings, assets: Assets) -> list[tuple[str, int]]:
    """(spec, first tile of its row) by descending R²; tiles from 0 are the originals."""
    per_row = len(assets.originals)
    first = {spec: per_row * i for i, spec in enumerate(assets.rebuilt, 1)}
    specs = [spec for spec in findings.contenders if spec in first]
    specs.sort(key=lambda spec: -(findings.value("information", "kept", spec) or 0))
    return [(spec, first[spec]) for spec in specs]


def _sheets(folder: Path, assets: Assets) -> list[Sheet]:
    sheets = (
        sheet(folder, "thumbnails.webp", len(assets.thumbnails)),
        sheet(folder, "copies.webp", len(assets.copies)),
        sheet(folder, "odd.webp", len(assets.odd)),
        sheet(folder, "remarked.webp", len(assets.remarked)),
        sheet(folder, "reconstructions.png", len(assets.originals) * (1 + len(assets.rebuilt))),
        sheet(folder, "perturbed.webp", len(assets.perturbed)),
        sheet(folder, "variants.webp", len(assets.variants)),
    )
    return [each for each in sheets if each is not None]


def _legend(findings: Findings) -> list[tuple[str, str]]:
    """(standing, meaning) of each colour; the tied are named where they are few."""
    if not findings.pick:
        return [("other", "representation")]
    tied = [spec for spec in findings.contenders if findings.standing(spec) == "tied"]
    names = ", ".join(findings.short[s] for s in tied) if len(tied) < _MAX_NAMES else len(tied)
    entries = [("pick", f"{findings.pick_note}: {findings.short[findings.pick]}")]
    entries += [("tied", f"tied with the best: {names}")] if tied else []
    has_others = len(findings.contenders) > 1 + len(tied)
    return [*entries, ("other", "others")] if has_others else entries
