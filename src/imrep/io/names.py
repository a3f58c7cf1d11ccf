"""File names as printable text: one spelling for undecodable bytes, everywhere."""

import os
import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from imrep.errors import BadParameter, short_repr

__all__ = ["as_path", "command_line", "encodable", "encodable_values", "printable"]

# Python reads bytes of a name that are no UTF-8 as lone surrogates.
_SURROGATES = re.compile(r"[\ud800-\udfff]")
# Control characters and line separators would garble a table or a message just as well.
_UNPRINTABLE = re.compile(r"[\ud800-\udfff\x00-\x1f\x7f-\x9f\u2028\u2029]")


def printable(name: str | os.PathLike[str]) -> str:
    r"""The name of a file as printable text of one line that UTF-8 can encode.

    A byte that is not UTF-8 becomes `\xNN`, as do control characters. Every output, table, message
    and page spells names in this way, so that they can be compared.

    Example:
        >>> printable(os.fsdecode(b"caf\xe9.png")), printable("two\nlines.png")
        ('caf\\xe9.png', 'two\\x0alines.png')
    """
    return _UNPRINTABLE.sub(_escaped, os.fspath(name))


def as_path(value: object, caller: str, what: str = "a path", *, empty: bool = True) -> Path:
    """The argument `value` as a path.

    Raises:
        BadParameter: It is no path, or an empty text where `empty` is not allowed.
    """
    if not empty and isinstance(value, str) and not value:
        raise BadParameter(f"{caller} needs {what}, got ''. Give . for the current folder.")
    if isinstance(value, str | os.PathLike) and isinstance(os.fspath(value), str):
        return Path(os.fspath(value))
    raise BadParameter(
        f"{caller} needs {what}, got {short_repr(value)}. Give a str or a pathlib.Path."
    )


def encodable(text: str) -> str:
    """A text of several lines, with undecodable bytes spelt as `printable` spells them."""
    return _SURROGATES.sub(_escaped, text)


def encodable_values(value: Any) -> Any:
    """`encodable` of every text in nested lists, tuples and dictionaries, for JSON."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict):
        return {encodable_values(key): encodable_values(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [encodable_values(item) for item in value]
    return value


def command_line(words: Iterable[str]) -> str:
    r"""The command line of these words, quoted so that a shell restores them byte by byte.

    Example:
        >>> command_line(["imrep", "embed", "my photos", os.fsdecode(b"caf\xe9")])
        "imrep embed 'my photos' $'caf\\xe9'"
    """
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    if not _UNPRINTABLE.search(word):
        return shlex.quote(word)
    doubled = word.replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{_UNPRINTABLE.sub(_bytes, doubled)}'"  # as bash, zsh and ksh read it


def _bytes(match: "re.Match[str]") -> str:
    r"""Each byte of a character: `\x85` alone would be a byte that is no UTF-8."""
    undecodable = "\udc80" <= match[0] <= "\udcff"
    data = match[0].encode("utf-8", "surrogateescape" if undecodable else "surrogatepass")
    return "".join(f"\\x{byte:02x}" for byte in data)


def _escaped(match: "re.Match[str]") -> str:
    number = ord(match[0])
    if 0xDC80 <= number <= 0xDCFF:  # surrogateescape: the byte itself
        number -= 0xDC00
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
