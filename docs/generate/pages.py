"""The pages made from the catalogue: gallery, table, and one for every representation."""

from collections.abc import Mapping
from html import escape
from itertools import groupby

from generate import prose
from generate.gallery import Shot, Shown
from generate.markup import cited, image, parameters, references
from generate.photographs import PHOTOGRAPHS, Effort

from imrep.cli.list import _FAMILIES
from imrep.registry import catalog, citations, specs
from imrep.registry.catalog import Entry
from imrep.report import words

_HOW = {
    "exact": "by its exact inverse",
    "approximate": "by its approximate inverse",
    "iterative": "by its iterative inverse, at most {} steps",
    "gradient": "by gradient: at most {} steps of a search for an image with this code",
}
_SEARCH = 300  # steps that `imrep invert` gives a search
_INVERSE = {"exact": "exact", "approximate": "approximate", "none": "none of its own"}


def families() -> list[tuple[str, list[Entry]]]:
    """Every representation by family, families in the order of `imrep list`."""

    def place(entry: Entry) -> tuple[int, str, str]:
        family = entry.card.family
        known = _FAMILIES.index(family) if family in _FAMILIES else len(_FAMILIES)
        return known, family, entry.name

    entries = sorted(map(catalog.entry, catalog.names()), key=place)
    return [(name, list(group)) for name, group in groupby(entries, lambda e: e.card.family)]


def gallery(shown: Mapping[str, Shown], effort: Effort) -> str:
    """Every representation on the three photographs."""
    lines = [
        "---\nhide: [navigation]\n---\n\n# Gallery\n",
        f"Every representation there is on the same three photographs, {effort.side} pixels to a "
        "side. The large picture shows the code; below it stands the photograph beside the image "
        "rebuilt from the code alone, and how near that comes (PSNR in decibels: 20 is a rough "
        "likeness, 30 good, 40 hardly to be told apart).\n",
        _legend(),
        _conditions(effort),
    ]
    for family, entries in families():
        lines.append(f"## {family.capitalize()}\n")
        for entry in entries:
            one = shown[entry.name]
            lines += [
                f"### [{entry.card.title}](representations/{entry.name}.md)\n",
                f"`{one.spec}` · {prose.inline(entry.summary)}\n",
                _random(entry, one),
                _shots(one, ""),
                f"{_caption(one)} {_cost(one)}. {cited(entry.card.cite)}.\n{{ .fine }}\n",
            ]
    return "\n".join(line for line in lines if line)


def table(shown: Mapping[str, Shown], effort: Effort) -> str:
    """Every representation in a line."""
    lines = [
        "---\nhide: [toc]\n---\n\n# Representations\n",
        "What there is, as `imrep list` has it. *Numbers* is the length of the vector; *ms* the "
        f"time to encode an image, {_by(effort.side)}; *PSNR* says how near the image rebuilt from "
        "the code alone comes, the mean of [three photographs](../gallery.md). Which "
        "representation serves your images is what [`imrep compare`](../compare.md) finds out.\n",
    ]
    for family, entries in families():
        lines += [
            f"## {family.capitalize()}\n",
            "| | numbers | ms | inverse | PSNR |",
            "|:--|--:|--:|:--|--:|",
        ]
        lines += [_row(entry, shown[entry.name]) for entry in entries]
        lines.append("")
    return "\n".join(lines)


def representation(entry: Entry, shown: Shown, effort: Effort) -> str:
    """One representation: pictures, how it works, parameters, commands, references."""
    parts = prose.sections(entry.doc)
    refusal = f"{prose.inline(shown.refusal)}\n" if shown.refusal else ""
    return "\n".join(
        [
            f"# {entry.card.title}\n",
            f"`{entry.name}` · {prose.inline(entry.summary)}\n{{ .lead }}\n",
            _random(entry, shown),
            _shots(shown, "../"),
            f"{_caption(shown)}\n{{ .fine }}\n",
            '<div class="facts" markdown>\n\n| | |\n|:--|:--|',
            *(f"| {key} | {value} |" for key, value in _facts(entry, shown, effort)),
            f"\n</div>\n\n{refusal}",
            "## How it works\n",
            prose.markdown(parts["body"]),
            "\n## Parameters\n",
            _parameters(entry),
            "## On the command line\n",
            f"```sh\n{chr(10).join(commands(entry))}\n```\n",
            "## In Python\n",
            f"```pycon\n{parts['Example']}\n```\n" if "Example" in parts else "",
            "## References\n",
            references(citations.references(entry.name)),
        ]
    )


def commands(entry: Entry) -> list[str]:
    """The command lines of one representation."""
    fetch = " --download" if entry.card.weights == "required" else ""
    lines = [f"imrep picture cat.jpg {entry.name}{fetch}"]
    if entry.card.inverse != "none" or entry.card.differentiable:
        lines.append(f"imrep invert cat.jpg {entry.name}{fetch}")
    lines += [
        f"imrep embed photos/ {entry.name}{fetch} -o vectors.parquet",
        f"imrep compare photos/ -r {entry.name} -r pixels{fetch}",
        f"imrep card {entry.name}",
    ]
    return lines


def _row(entry: Entry, shown: Shown) -> str:
    psnr = [shot.psnr for shot in shown.shots if shot.rebuilt]
    near = _decibels(sum(psnr) / len(psnr)) if psnr else "–"
    summary = prose.cell(entry.summary)
    inverse = "by gradient" if shown.how == "gradient" else _INVERSE[entry.card.inverse]
    inverse = "none" if shown.refusal else inverse
    what = f'[`{entry.name}`]({entry.name}.md)<br><span class="what">{summary}</span>'
    cells = (what, f"{shown.dim:,}", words.digits(shown.ms), inverse, near)
    return f"| {' | '.join(cells)} |"


def _facts(entry: Entry, shown: Shown, effort: Effort) -> list[tuple[str, str]]:
    card = entry.card
    rebuilt = _HOW[shown.how].format(shown.iterations) if shown.how else "nothing"
    few = effort.iterations < _SEARCH and shown.how == "gradient"
    rebuilt += f" (`imrep invert` takes {_SEARCH}, and comes nearer)" if few else ""
    weights = {"none": "", "optional": "optional", "required": "needed: `--download` fetches them"}
    facts = [
        ("family", card.family),
        ("shown as", f"`{shown.spec}`" if shown.spec != entry.name else ""),
        ("vector", f"{shown.dim:,} numbers"),
        ("cost", f"{words.digits(shown.ms)} ms an image, {_by(shown.side)}"),
        ("inverse", _INVERSE[card.inverse]),
        ("above", f"rebuilt {rebuilt}"),
        ("gradient", "reaches the image" if card.differentiable else "does not reach the image"),
        ("dtype", "float32" if card.dtype == "float32" else "float32 or float64, kept"),
        ("weights", weights[card.weights]),
        ("needs", f"`pip install 'imrep[{card.extra}]'`" if card.extra else ""),
        ("fitted", "its codebook is fitted to images, here these three" if shown.fitted else ""),
    ]
    return [(key, value) for key, value in facts if value]


def _parameters(entry: Entry) -> str:
    if not entry.parameters:
        return "It has none.\n"
    first = entry.parameters[0]
    spec = specs.write(entry.name, {first.name: first.default})
    keyword = f'imrep.get("{entry.name}", {first.name}={first.default!r})'
    return f"In a spec, `{spec}`, or in Python, `{keyword}`.\n\n{parameters(entry.parameters)}"


def _shots(shown: Shown, up: str) -> str:
    """Pictures as HTML: the code, and below it the photograph beside what is rebuilt."""
    triples = zip(PHOTOGRAPHS.items(), shown.shots, strict=True)
    figures = [
        _figure(shown, shot, f"{up}pictures/", photograph, what)
        for (photograph, what), shot in triples
    ]
    return "\n".join(['<div class="shots" tabindex="0">', *figures, "</div>\n"])


def _figure(shown: Shown, shot: Shot, folder: str, photograph: str, what: str) -> str:
    stem = f"{folder}{shown.name}-{photograph}"
    if shot.rebuilt:
        rebuilt = image(f"{stem}-rebuilt.jpg", f"{what}, rebuilt from its {shown.name} code")
        said = f"<b>{_decibels(shot.psnr)}</b> {escape(shot.lost)}"
    else:
        rebuilt, said = '<span class="none">nothing rebuilt</span>', "No inverse and no gradient."
    return "\n".join(
        [
            '<figure class="shot">',
            f'<div class="code">{image(f"{stem}.jpg", f"the {shown.name} code of {what}")}</div>',
            '<div class="pair">',
            image(f"{folder}{photograph}.jpg", what),
            rebuilt,
            "</div>",
            f"<figcaption>{said}</figcaption>",
            "</figure>",
        ]
    )


def _caption(shown: Shown) -> str:
    return f"Picture: {prose.inline(shown.caption)}"


def _cost(shown: Shown) -> str:
    how = _HOW[shown.how].format(shown.iterations) if shown.how else ""
    rebuilt = f"; rebuilt {how}" if how else ""
    return f"{words.digits(shown.ms)} ms, {shown.dim:,} numbers{rebuilt}"


def _random(entry: Entry, shown: Shown) -> str:
    if entry.card.weights == "none":
        return ""
    return (
        f"!!! note\n    Shown with **random weights**, as `{shown.spec}`: published ones are\n"
        "    fetched only when asked for, and nothing is fetched for these pages. What a trained\n"
        "    network keeps looks otherwise.\n"
    )


def _legend() -> str:
    return (
        '<p class="legend">Colours, where the caption says nothing else: '
        '<span><i class="ramp light"></i> from little to much</span> '
        '<span><i class="ramp signed"></i> below zero, zero, above</span></p>\n'
    )


def _conditions(effort: Effort) -> str:
    few = (
        f"Inverses that iterate, and searches by gradient, are given {effort.iterations} steps "
        f"here; `imrep invert` gives a search {_SEARCH} and comes nearer. "
    )
    said = f"Times to encode an image were {_by(effort.side)}.\n"
    return few + said if effort.iterations < _SEARCH else said


def _by(side: int) -> str:
    return f"measured as this page was made, at {side} × {side} pixels on one thread"


def _decibels(psnr: float) -> str:
    return "exact" if psnr > _EXACT else f"{psnr:.1f} dB"


_EXACT = 90.0  # far beyond what 8 bits show
