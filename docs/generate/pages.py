"""The pages that follow from the catalogue: gallery, table, and one per representation."""

from collections.abc import Mapping
from html import escape
from itertools import groupby

from generate import prose
from generate.gallery import Example, Shot
from generate.markup import cited, image, parameters, references
from generate.photographs import PHOTOGRAPHS, Effort

from imrep.cli.list import _FAMILIES
from imrep.registry import catalog, citations, specs
from imrep.registry.catalog import Entry
from imrep.report import words

_METHODS = {
    "exact": "by its exact inverse",
    "approximate": "by its approximate inverse",
    "iterative": "by its iterative inverse, at most {} steps",
    "gradient": "by a gradient search of at most {} steps for an image with this code",
}
_SEARCH = 300  # default steps of `imrep invert`
_INVERSE = {"exact": "exact", "approximate": "approximate", "none": "none of its own"}


def families() -> list[tuple[str, list[Entry]]]:
    """Every representation by family, families in the order of `imrep list`."""

    def position(entry: Entry) -> tuple[int, str, str]:
        family = entry.card.family
        index = _FAMILIES.index(family) if family in _FAMILIES else len(_FAMILIES)
        return index, family, entry.name

    entries = sorted(map(catalog.entry, catalog.names()), key=position)
    return [(name, list(group)) for name, group in groupby(entries, lambda e: e.card.family)]


def gallery(examples: Mapping[str, Example], effort: Effort) -> str:
    """Every representation on the three photographs."""
    lines = [
        "---\nhide: [navigation]\n---\n\n# Gallery\n",
        f"Every representation on the same three photographs of {effort.side} × {effort.side} "
        "pixels. The large image shows the code. Below are the photograph and its reconstruction "
        "from the code alone, with the PSNR in decibels (20 is a rough likeness, 30 a good one; "
        "from 40 differences are hard to see) and the share of the variance that it explains.\n",
        _legend(),
        _conditions(effort),
    ]
    for family, entries in families():
        lines.append(f"## {family.capitalize()}\n")
        for entry in entries:
            example = examples[entry.name]
            lines += [
                f"### [{entry.card.title}](representations/{entry.name}.md)\n",
                f"`{example.spec}` · {prose.inline(entry.summary)}\n",
                _random(entry, example),
                _shots(example, ""),
                f"{_caption(example)} {_cost(example)}. {cited(entry.card.cite)}.\n{{ .fine }}\n",
            ]
    return "\n".join(line for line in lines if line)


def table(examples: Mapping[str, Example], effort: Effort) -> str:
    """Every representation in a line."""
    lines = [
        "---\nhide: [toc]\n---\n\n# Representations\n",
        "The same list as `imrep list`. *Dimensions* is the length of the vector. *Code* is how "
        "many numbers the code of one image has; an inverse starts from it. *ms* is the time to "
        f"encode an image, {_by(effort.side)}. *PSNR* is that of the reconstruction from the code, "
        "averaged over [three photographs](../gallery.md). [`imrep compare`](../compare.md) "
        "measures accuracy on your images.\n",
    ]
    for family, entries in families():
        lines += [
            f"## {family.capitalize()}\n",
            "| | dimensions | code | ms | inverse | PSNR |",
            "|:--|--:|--:|--:|:--|--:|",
        ]
        lines += [_row(entry, examples[entry.name]) for entry in entries]
        lines.append("")
    return "\n".join(lines)


def representation(entry: Entry, example: Example, effort: Effort) -> str:
    """One representation: pictures, how it works, parameters, commands, references."""
    parts = prose.sections(entry.doc)
    refusal = f"{prose.inline(example.refusal)}\n" if example.refusal else ""
    return "\n".join(
        [
            f"# {entry.card.title}\n",
            f"`{entry.name}` · {prose.inline(entry.summary)}\n{{ .lead }}\n",
            _random(entry, example),
            _shots(example, "../"),
            f"{_caption(example)}\n{{ .fine }}\n",
            '<div class="facts" markdown>\n\n| | |\n|:--|:--|',
            *(f"| {key} | {value} |" for key, value in _facts(entry, example, effort)),
            f"\n</div>\n\n{refusal}",
            "## How it works\n",
            prose.markdown(parts["body"]),
            "\n## Parameters\n",
            _parameters(entry),
            _short_names(entry),
            "## On the command line\n",
            f"```sh\n{chr(10).join(commands(entry))}\n```\n",
            "## In Python\n",
            f"```pycon\n{parts['Example']}\n```\n" if "Example" in parts else "",
            "## References\n",
            references(citations.references(entry.name)),
        ]
    )


def _short_names(entry: Entry) -> str:
    """The names that stand for it with some parameters."""
    if not entry.aliases:
        return ""
    rows = [f"| `{alias}` | `{entry.name}:{texts}` |" for alias, texts in entry.aliases.items()]
    first = next(iter(entry.aliases))
    head = f"## Short names\n\nOther parameters follow as usual: `{first}:key=value`."
    return "\n".join([f"{head}\n\n| name | stands for |\n|:--|:--|", *rows, ""])


def commands(entry: Entry) -> list[str]:
    """The command lines of one representation."""
    spec, starts = entry.name, {p.name: p.default for p in entry.parameters}
    if entry.card.weights == "trained" and starts.get("weights") == "published":
        spec = entry.example  # trained from annotations, not by `compare`
    elif entry.card.weights == "trained":
        return [f"imrep compare photos/ -r {entry.name} -r pixels", f"imrep card {entry.name}"]
    fetch = " --download" if entry.card.weights == "required" else ""
    lines = [f"imrep picture cat.jpg {spec}{fetch}"]
    if entry.card.inverse != "none" or entry.card.differentiable:
        lines.append(f"imrep invert cat.jpg {spec}{fetch}")
    lines += [
        f"imrep embed photos/ {spec}{fetch} -o vectors.parquet",
        f"imrep compare photos/ -r {spec} -r pixels{fetch}",
        f"imrep card {entry.name}",
    ]
    return lines


def _row(entry: Entry, example: Example) -> str:
    psnr = [shot.psnr for shot in example.shots if shot.reconstruction]
    mean = _decibels(sum(psnr) / len(psnr)) if psnr else "–"
    summary = prose.cell(entry.summary)
    inverse = "by gradient" if example.method == "gradient" else _INVERSE[entry.card.inverse]
    inverse = "none" if example.refusal else inverse
    what = f'[`{entry.name}`]({entry.name}.md)<br><span class="what">{summary}</span>'
    sizes = (f"{example.dim:,}", f"{example.code_numbers:,}")
    cells = (what, *sizes, words.digits(example.ms), inverse, mean)
    return f"| {' | '.join(cells)} |"


def _facts(entry: Entry, example: Example, effort: Effort) -> list[tuple[str, str]]:
    card = entry.card
    method = _METHODS[example.method].format(example.iterations) if example.method else "none"
    few = effort.iterations < _SEARCH and example.method == "gradient"
    method += f" (`imrep invert` takes {_SEARCH}, with a smaller error)" if few else ""
    weights = {
        "none": "",
        "optional": "optional",
        "required": "required: see `--download`",
        "included": "part of imrep",
        "trained": "trained on your images",
    }
    facts = [
        ("family", card.family),
        ("example", f"`{example.spec}`" if example.spec != entry.name else ""),
        ("vector", f"{example.dim:,} numbers"),
        ("code", f"{example.code_numbers:,} numbers for {example.side} × {example.side} pixels"),
        ("cost", f"{words.digits(example.ms)} ms per image, {_by(example.side)}"),
        ("inverse", _INVERSE[card.inverse]),
        ("reconstruction", method),
        ("gradient", "reaches the image" if card.differentiable else "does not reach the image"),
        ("dtype", "float32" if card.dtype == "float32" else "float32 or float64, preserved"),
        ("weights", weights[card.weights]),
        ("needs", f"`pip install 'imrep[{card.extra}]'`" if card.extra else ""),
        ("fitted", "a codebook, here on these three images" if example.fitted else ""),
    ]
    return [(key, value) for key, value in facts if value]


def _parameters(entry: Entry) -> str:
    if not entry.parameters:
        return "None.\n"
    first = entry.parameters[0]
    spec = specs.write(entry.name, {first.name: first.default})
    keyword = f'imrep.get("{entry.name}", {first.name}={first.default!r})'
    return f"In a spec, `{spec}`, or in Python, `{keyword}`.\n\n{parameters(entry.parameters)}"


def _shots(example: Example, up: str) -> str:
    """Images as HTML: the code, and below it the photograph beside its reconstruction."""
    triples = zip(PHOTOGRAPHS.items(), example.shots, strict=True)
    figures = [
        _figure(example, shot, f"{up}pictures/", photograph, what)
        for (photograph, what), shot in triples
    ]
    return "\n".join(['<div class="shots" tabindex="0">', *figures, "</div>\n"])


def _figure(example: Example, shot: Shot, folder: str, photograph: str, what: str) -> str:
    stem = f"{folder}{example.name}-{photograph}"
    if shot.reconstruction:
        reconstruction = image(
            f"{stem}-reconstruction.jpg", f"{what}, from its {example.name} code"
        )
        caption = f"<b>{_decibels(shot.psnr)}</b> {escape(shot.summary)}"
    else:
        reconstruction = '<span class="none">no reconstruction</span>'
        caption = "No inverse and no gradient."
    return "\n".join(
        [
            '<figure class="shot">',
            f'<div class="code">{image(f"{stem}.jpg", f"the {example.name} code of {what}")}</div>',
            '<div class="pair">',
            image(f"{folder}{photograph}.jpg", what),
            reconstruction,
            "</div>",
            f"<figcaption>{caption}</figcaption>",
            "</figure>",
        ]
    )


def _caption(example: Example) -> str:
    return f"Picture: {prose.inline(example.caption)}"


def _cost(example: Example) -> str:
    cost = f"{words.digits(example.ms)} ms, a vector of {example.dim:,} numbers"
    if not example.method:
        return cost
    method = _METHODS[example.method].format(example.iterations)
    return f"{cost}; reconstructed {method}, from a code of {example.code_numbers:,} numbers"


def _random(entry: Entry, example: Example) -> str:
    if entry.card.weights in ("none", "included"):
        return ""
    if entry.card.weights == "trained":
        return f"!!! note\n    This example is **untrained**: `{example.spec}`.\n"
    return (
        f"!!! note\n    This example has **random weights**: `{example.spec}`.\n"
        "    Published weights are downloaded only on request, and not for these pages.\n"
        "    Codes of trained weights differ.\n"
    )


def _legend() -> str:
    return (
        '<p class="legend">Colours, unless the caption says otherwise: '
        '<span><i class="ramp light"></i> from low to high</span> '
        '<span><i class="ramp signed"></i> negative, zero, positive</span></p>\n'
    )


def _conditions(effort: Effort) -> str:
    few = (
        f"Iterative inverses and gradient searches have {effort.iterations} steps "
        f"here. The default of `imrep invert` is {_SEARCH}, which gives a smaller error. "
    )
    times = f"Times to encode an image were {_by(effort.side)}.\n"
    return few + times if effort.iterations < _SEARCH else times


def _by(side: int) -> str:
    return f"measured when this page was built, at {side} × {side} pixels on one thread"


def _decibels(psnr: float) -> str:
    return "exact" if psnr > _EXACT else f"{psnr:.1f} dB"


_EXACT = 90.0  # dB: beyond the precision of 8 bits
