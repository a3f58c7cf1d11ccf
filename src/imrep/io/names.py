"""Names of files as text: bytes that are no UTF-8, and characters that a terminal would obey."""

import os
import re
import shlex
from collections.abc import Iterable
from typing import Any

__all__ = ["command_line", "printable", "printable_values"]

# Python's stand-ins for bytes that are no UTF-8, and what would move a cursor or end a line.
_UNPRINTABLE = re.compile(r"[\ud800-\udfff\x00-\x1f\x7f-\x9f\u2028\u2029]")


def printable(name: str | os.PathLike[str]) -> str:
    r"""The name of a file as text that can be shown, encoded as UTF-8 and held in one line.

    A byte that is no UTF-8 becomes `\xNN`, as do control characters; all else stays. It is written
    in this way in every output, table, message and page, so that names can be compared.

    Example:
        >>> printable(os.fsdecode(b"caf\xe9.png")), printable("two\nlines.png")
        ('caf\\xe9.png', 'two\\x0alines.png')
    """
    return _UNPRINTABLE.sub(_escaped, os.fspath(name))


def printable_values(value: Any) -> Any:
    """`printable` of every text in nested lists, tuples and dictionaries, for JSON."""
    if isinstance(value, str):
        return printable(value) if _UNPRINTABLE.search(value) else value
    if isinstance(value, dict):
        return {printable_values(key): printable_values(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [printable_values(item) for item in value]
    return value


def command_line(words: Iterable[str]) -> str:
    r"""What to type for a command of these words; a shell takes it back byte by byte.

    Example:
        >>> command_line(["imrep", "embed", "my photos", os.fsdecode(b"caf\xe9")])
        "imrep embed 'my photos' $'caf\\xe9'"
    """
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    if not _UNPRINTABLE.search(word):
        return shlex.quote(word)
    doubled = word.replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{printable(doubled)}'"  # as bash, zsh and ksh read it


def _escaped(match: "re.Match[str]") -> str:
    number = ord(match[0])
    if 0xDC80 <= number <= 0xDCFF:  # surrogateescape: the byte itself
        number -= 0xDC00
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
