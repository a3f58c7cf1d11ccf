"""The page: what is shown, in which order, and the sentences that explain it."""

import functools
import json
import re
from collections.abc import Sequence
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import vl_convert
from markupsafe import Markup, escape

from imrep.assets import Assets
from imrep.errors import BadData
from imrep.evaluate import cache
from imrep.report import charts, frame, heat, tables, words
from imrep.report.findings import CONTROLS, PERTURBATIONS, Findings
from imrep.report.pictures import Sheet, sheet
from imrep.results import Row

_MOST = 8 * 2**20  # bytes: the page stays a file one can send
_ENTRY = "window.vegaEmbed = vegaEmbed;"
_SKIPPED = 200  # named in the page; skipped.csv has all


def render(rows: Sequence[Row], assets: Assets, folder: Path) -> str:
    """The page as one string.

    Raises:
        BadData: No verdict among the rows, or the page would be larger than 8 MB.
    """
    if sum(row.kind == "verdict" for row in rows) != 1:
        raise BadData(f"a report needs one verdict among {len(rows)} rows. Run imrep compare.")
    findings = Findings(rows)
    drawn = _charts(findings, assets)
    context = {
        "findings": findings,
        "assets": assets,
        "charts": {chart.id: chart for chart in drawn},
        "svg": {chart.id: _static(chart) for chart in drawn},
        "tables": _tables(findings, assets),
        "sheets": {s.name: s for s in _sheets(folder, assets)},
        "rebuilt": _rebuilt(findings, assets),
        "said": _said,
        "broken": _broken,
        "key": _key(findings),
        "facts": _facts(findings),
        "method": _method(findings),
        "controls": _controls(findings),
        "perturbations": PERTURBATIONS,
        "skipped_shown": _SKIPPED,
        "style": Markup(_part("style.css")),
        "script": Markup(_part("page.js")),
        "vega": Markup(_vega()),
        "data": _json(_data(findings, assets, drawn)),
        "words": words,
    }
    html = _template().render(context)
    if (size := len(html.encode())) > _MOST:
        raise BadData(f"a report needs at most {_MOST:,} bytes, got {size:,}. Draw fewer pictures.")
    return html


def _charts(findings: Findings, assets: Assets) -> list[frame.Chart]:
    """Those for which there are numbers."""
    drawn = []
    if findings.having("accuracy", findings.measure):
        drawn.append(charts.cost(findings))
    if findings.leader and findings.having("difference", findings.measure):
        drawn.append(charts.differences(findings))
    for metric, id, title in (
        ("probe_curve", "labels", "labels a class, from few to many →"),
        ("probe_size", "sizes", "side of the image, pixels →"),
        ("ms_size", "size-costs", "side of the image, pixels →"),
    ):
        if findings.having("cost" if metric == "ms_size" else "accuracy", metric):
            drawn.append(charts.curves(findings, metric, id, title))
    if (confused := _confused(findings, assets)) is not None:
        drawn.append(heat.confusion(assets.classes, confused))
    if findings.having("stability", "move"):
        drawn.append(heat.stability(findings))
    if len(findings.having("labelfree", "cka")) > 1:
        drawn.append(heat.likeness(findings))
    return drawn


def _tables(findings: Findings, assets: Assets) -> dict[str, tables.Table]:
    made = {
        "main": tables.main(findings),
        "differences": tables.differences(findings),
        "recalls": tables.recalls(findings),
        "spread": tables.spread(findings),
    }
    for id, kind, metric, caption, form in (
        ("labels", "accuracy", "probe_curve", "Accuracy by labels a class", words.percent),
        ("sizes", "accuracy", "probe_size", "Accuracy by side of the image", words.percent),
        ("size-gains", "difference", "size", "Points more than at the main size", words.points),
        ("size-costs", "cost", "ms_size", "Milliseconds by side of the image", words.digits),
        ("stability", "stability", "move", "How far each change moves it", words.ratio),
        ("nearest", "stability", "top1", "Original still the nearest", words.percent),
        ("likeness", "labelfree", "cka", "How alike two see the pictures", words.ratio),
    ):
        made[id] = tables.crossed(findings, kind, metric, caption, form)
    if (confused := _confused(findings, assets)) is not None:
        made["confusion"] = tables.confused(list(assets.classes), confused)
    return made


def _confused(findings: Findings, assets: Assets) -> list[list[int]] | None:
    counts = assets.confusions.get(findings.pick or findings.leader)
    return None if counts is None else counts.tolist()


def _rebuilt(findings: Findings, assets: Assets) -> list[tuple[str, int]]:
    """(spec, first tile of its row), what keeps most first; tile 0 starts the originals."""
    per = len(assets.originals)
    first = {spec: per * i for i, spec in enumerate(assets.rebuilt, 1)}
    shown = [spec for spec in findings.contenders if spec in first]
    shown.sort(key=lambda spec: -(findings.value("information", "kept", spec) or 0))
    return [(spec, first[spec]) for spec in shown]


def _sheets(folder: Path, assets: Assets) -> list[Sheet]:
    found = (
        sheet(folder, "thumbnails.webp", len(assets.thumbnails)),
        sheet(folder, "copies.webp", len(assets.copies)),
        sheet(folder, "reconstructions.png", len(assets.originals) * (1 + len(assets.rebuilt))),
        sheet(folder, "perturbed.webp", len(assets.perturbed)),
    )
    return [each for each in found if each is not None]


def _said(text: str) -> Markup:
    """A sentence of the protocol, its **bold** as <strong>; everything else escaped."""
    return Markup(re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", str(escape(text))))


def _broken(spec: str) -> Markup:
    """A long name that may go on in the next line after a comma, colon, = or +."""
    return Markup(re.sub(r"([,:=+/_])", r"\1<wbr>", str(escape(spec))))


def _key(findings: Findings) -> list[tuple[str, str]]:
    """What each colour means, by name where there are few."""
    if not findings.pick:
        return [("rest", "a representation")]
    equals = [spec for spec in findings.contenders if findings.standing(spec) == "equal"]
    named = ", ".join(findings.short[spec] for spec in equals) if len(equals) < 4 else len(equals)
    shown = [("pick", f"{findings.praise}: {findings.short[findings.pick]}")]
    shown += [("equal", f"tied with the best: {named}")] if equals else []
    others = len(findings.contenders) > 1 + len(equals)
    return [*shown, ("rest", "the rest")] if others else shown


def _controls(findings: Findings) -> list[tuple[str, str]]:
    meanings = ((spec, next((m for k, m in CONTROLS.items() if k in spec), "")) for spec in
                findings.controls)  # fmt: skip
    return [(spec, meaning) for spec, meaning in meanings if meaning]


def _facts(findings: Findings) -> list[tuple[str, str]]:
    """How it was measured, in pairs."""
    meta, value = findings.meta, findings.value
    pairs = [
        ("folder", meta.data_name),
        ("images", words.count(meta.n)),
        ("classes", words.count(meta.classes) if meta.classes else ""),
        ("groups kept in one fold", words.count(meta.groups) if meta.folds else ""),
        ("folds", str(meta.folds) if meta.folds else ""),
        ("side of the image", _sides(findings)),
        ("seed", str(meta.seed)),
        ("files that could not be read", words.count(value("data", "skipped"))),
        ("processor", meta.cpu),
        ("threads", str(meta.threads)),
        ("versions", ", ".join(f"{name} {number}" for name, number in meta.versions.items())),
        ("protocol", meta.protocol),
        ("measured", meta.time),
        ("digest of the images", meta.data),
        ("fingerprints", _fingerprints(findings)),
    ]
    return [(name, text) for name, text in pairs if text and text != "–"]


def _fingerprints(findings: Findings) -> str:
    """Of representations made from files: a path in a spec may lead to other numbers one day."""
    rows = [findings.row("cost", "ms", spec) for spec in findings.contenders]
    return ", ".join(
        f"{row.spec} {row.fingerprint}"
        for row in rows
        if row is not None and ("weights=" in row.spec or "/" in row.spec)
    )


def _method(findings: Findings) -> list[str]:
    """The protocol in five sentences (its sections 1 to 6)."""
    meta = findings.meta
    decoded = (
        f"Every image was turned upright, brought to sRGB, scaled until its shorter side had "
        f"{_sides(findings)} and cut to the square in its middle; near-copies were looked for "
        f"before anything was learned."
    )
    if findings.measure == "retrieval":
        return [decoded, *_RETRIEVAL]
    if not findings.labelled:
        return [decoded]
    fitted = {row.fitted_on for row in findings.rows} & {"fold", "all"}
    books = " Codebooks were fitted on the training part of each fold." if "fold" in fitted else (
        " Codebooks were fitted once on all images, without their labels." if fitted else ""
    )  # fmt: skip
    return [
        decoded,
        f"The images were dealt into {meta.folds} folds, a group (near-copies, or what --groups "
        f"names) always into one; each fold was named by a probe trained on the others.{books}",
        "The probe is a linear ridge classifier where every class weighs the same; how much it is "
        "penalised was chosen on the training part alone, by leaving out one group at a time.",
        "Intervals come from 2,000 resamplings of the groups within their classes, widened by "
        "factors that were measured on real folders, so that 95% means 95%; since the probe saw "
        "only part of the folder, the accuracies are a little pessimistic.",
        "The verdict drops one contender after another, the clearest loser first, as long as its "
        "gap to the best exceeds what the largest gap among equals would reach by chance and a "
        "test by flipping signs agrees; those who remain are tied with the best.",
    ]


_RETRIEVAL = (
    "Every image of an object that has another image was held against all images, which were "
    "ranked by the cosine of their vectors after the mean was removed; average precision is the "
    "mean share of the object's images among those ranked up to each of them.",
    "Intervals come from 2,000 resamplings of whole objects, the same for all representations, "
    "widened as few objects demand; the verdict drops one contender after another, the "
    "clearest loser first, as long as its gap to the best exceeds what chance opens among equals.",
)


def _sides(findings: Findings) -> str:
    """64 pixels; or 64 or 224 pixels, as the line in the table says."""
    sides = [str(side) for side in findings.sides] or [str(findings.meta.S)]
    if len(sides) == 1:
        return f"{sides[0]} pixels"
    return f"{', '.join(sides[:-1])} or {sides[-1]} pixels, as each line of the table says,"


def _data(findings: Findings, assets: Assets, drawn: list[frame.Chart]) -> dict[str, Any]:
    """What the script needs: specifications of the plots, and who is whose neighbour."""
    shown = [spec for spec in findings.contenders if spec in assets.neighbours]
    return {
        "charts": {chart.id: {"wide": chart.wide, "narrow": chart.narrow} for chart in drawn},
        "paths": list(assets.paths),
        "labels": list(assets.labels),
        "queries": list(assets.queries),
        "alike": "object" if findings.measure == "retrieval" else "class",
        "neighbours": [
            {
                "spec": spec,
                "standing": findings.standing(spec),
                "nearest": assets.neighbours[spec].tolist(),
                "map": _unit(assets, spec),
            }
            for spec in shown
        ],
    }


def _unit(assets: Assets, spec: str) -> list[list[float]]:
    """Positions of the map in [0, 1], the vertical axis downwards."""
    if spec not in assets.maps:
        return []
    spots = assets.maps[spec]
    low, high = spots.min(0), spots.max(0)
    scaled = (spots - low) / (high - low).clip(1e-12)
    return [[round(float(x), 3), round(float(y), 3)] for x, y in scaled]


def _json(data: dict[str, Any]) -> Markup:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))


def _static(chart: frame.Chart) -> Markup:
    """The narrow form as SVG, for readers without scripts; it scales to any width."""
    spec = {**chart.narrow, "width": frame.NARROW, "autosize": {"type": "pad"}}
    return Markup(vl_convert.vegalite_to_svg(spec, vl_version=frame.VEGA_LITE))


@functools.cache
def _vega() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, made safe to stand inside an element.

    It takes a second to put together, more than the rest of the page, so it is kept.
    """
    key = cache.key(version("vl-convert-python"), frame.VEGA_LITE, _ENTRY)
    kept = cache.folder("vega", key) / "bundle.json"
    bundle: str | None = cache.read_json(kept)
    if bundle is None:
        bundle = vl_convert.javascript_bundle(_ENTRY, vl_version=frame.VEGA_LITE)
        cache.write_json(kept, bundle)
    return bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--")


@functools.cache
def _part(name: str) -> str:
    return files("imrep.report").joinpath(name).read_text(encoding="utf-8")


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(_part("page.html.jinja"))
