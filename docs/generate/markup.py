"""Pieces of pages: references, tables of parameters, pictures."""

import re
from collections.abc import Iterable
from html import escape

from generate import prose

from imrep.registry import citations, specs
from imrep.registry.citations import Reference
from imrep.registry.signatures import Parameter

_LINK = re.compile(r"doi:\s?(\S+[^\s.,;)])")


def parameters(params: Iterable[Parameter]) -> str:
    """A row for each parameter: default as in a spec, type, meaning."""
    rows = [f"| `{_default(p)}` | {_kind(p.annotation)} | {prose.cell(p.help)} |" for p in params]
    return "\n".join(["| parameter | takes | |\n|:--|:--|:--|", *rows, ""]) if rows else ""


def listed(papers: list[Reference]) -> str:
    """The papers as a list."""
    return "".join(f"- {_citation(reference)}\n" for reference in papers)


def references(papers: list[Reference]) -> str:
    """The papers as a list, and their BibTeX, folded."""
    bibtex = "\n\n".join(citations.bibtex(reference) for reference in papers)
    return "\n".join(
        [
            listed(papers),
            '??? quote "BibTeX"\n',
            *(f"    {line}" for line in f"```bibtex\n{bibtex}\n```".splitlines()),
            "",
        ]
    )


def cited(text: str) -> str:
    """A line of prose with its DOI as a link."""
    return _LINK.sub(r"[doi:\1](https://doi.org/\1)", prose.inline(text).rstrip("."))


def image(path: str, alt: str) -> str:
    """An image that links to itself."""
    return f'<a href="{path}"><img src="{path}" alt="{escape(alt)}" loading="lazy"></a>'


def _default(parameter: Parameter) -> str:
    key = parameter.name.rstrip("_")
    return f"{key}=FILE" if parameter.needed else specs.write("", {key: parameter.default})


def _kind(annotation: str) -> str:
    """`int | None` as a whole number or none."""
    return " or ".join(_KINDS.get(kind.strip(), kind.strip()) for kind in annotation.split("|"))


_KINDS = {
    "None": "none",
    "bool": "true or false",
    "int": "whole number",
    "float": "number",
    "str": "word",
    "Image": "image",
}


def _citation(reference: Reference) -> str:
    """Authors, "title", where, year. link."""
    parts = [", ".join(reference.authors), f"“{reference.title}”" if reference.title else ""]
    text = ", ".join(part for part in [*parts, reference.where, reference.year] if part)
    doi = f"[doi:{reference.doi}](https://doi.org/{reference.doi})" if reference.doi else ""
    url = f"<{reference.url}>" if reference.url else ""
    return f"{prose.inline(text)}. {doi or url}".strip()
