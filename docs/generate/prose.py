"""Docstrings as Markdown: sections apart, and nothing in them taken for a mark by accident."""

import re

_HEAD = re.compile(
    r"^(Args|Attributes|Raises|Returns|References|Examples?|Notes?):\n", re.MULTILINE
)
_MARKS = re.compile(r"([*_\[\]<])")


def sections(doc: str) -> dict[str, str]:
    """The parts of a docstring by heading, unindented; the summary under "" and the rest "body"."""
    first, *others = _HEAD.split(doc)
    summary, _, body = first.partition("\n")
    found = {"": summary.strip(), "body": body.strip()}
    for name, text in zip(others[::2], others[1::2], strict=True):
        found[name] = re.sub(r"^    ", "", text, flags=re.MULTILINE).strip()
    return found


def markdown(text: str) -> str:
    """Prose with its code in backticks kept, and with no other mark; indented lines are code."""
    paragraphs = re.split(r"\n{2,}", text)
    return "\n\n".join(
        one.replace("`", "") if one.startswith("    ") else inline(one) for one in paragraphs
    )


def inline(text: str) -> str:
    """The same of one paragraph."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(part if part[:1] == "`" else _MARKS.sub(r"\\\1", part) for part in parts)


def cell(text: str) -> str:
    """The same of a table's cell, whose borders are bars."""
    return inline(" ".join(text.split())).replace("|", "\\|")
