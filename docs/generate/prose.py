"""Docstrings as Markdown, split into sections and escaped."""

import re

_HEAD = re.compile(
    r"^(Args|Attributes|Raises|Returns|References|Examples?|Notes?):\n", re.MULTILINE
)
_MARKS = re.compile(r"([*_\[\]<])")


def sections(doc: str) -> dict[str, str]:
    """The sections of a docstring by heading, unindented; the summary is "", the prose "body"."""
    first, *sections = _HEAD.split(doc)
    summary, _, body = first.partition("\n")
    parts = {"": summary.strip(), "body": body.strip()}
    for name, text in zip(sections[::2], sections[1::2], strict=True):
        parts[name] = re.sub(r"^    ", "", text, flags=re.MULTILINE).strip()
    return parts


def markdown(text: str) -> str:
    """Prose in which only backticks are markup; indented lines are code."""
    paragraphs = re.split(r"\n{2,}", text)
    return "\n\n".join(
        p.replace("`", "") if p.startswith("    ") else inline(p) for p in paragraphs
    )


def inline(text: str) -> str:
    """The same for one paragraph."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(part if part[:1] == "`" else _MARKS.sub(r"\\\1", part) for part in parts)


def cell(text: str) -> str:
    """The same for a cell of a table, with bars escaped."""
    return inline(" ".join(text.split())).replace("|", "\\|")
