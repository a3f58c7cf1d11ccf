"""The grammar of specs: `name:key=value,key=value`, joined by `+`.

A value, or a folder in place of a name, that holds one of `, : + =` is quoted with ' or ". Types
come from the constructor's annotations, so that `arch=50` stays a string where a string is meant.
"""

import itertools
import numbers
import re
from typing import Any

from imrep.errors import BadParameter, short_repr

_TOKEN = re.compile(r"""'[^']*'|"[^"]*"|[^'"]""")
_WORDS: dict[str, Any] = {"true": True, "false": False, "none": None}


def parse(spec: str) -> list[tuple[str, dict[str, str]]]:
    """Split a spec into (name, {key: text}) for each view, texts unquoted but not yet typed.

    Raises:
        BadParameter: If the spec is no text or empty, a quote is left open, or a key has no value.
    """
    views = [_view(part, spec) for part in _split(spec, "+")]
    if not all(name for name, _ in views):
        raise BadParameter(f"{spec!r} is no spec: a name is missing. Write name or name:key=value.")
    return views


def names(spec: str) -> list[str]:
    """The name of each view, its parameters unread: a wrong name is to be said before them.

    Raises:
        BadParameter: If the spec is no text, or a quote is left open.
    """
    return [_unquote(_split(part, ":", at_most=1)[0].strip()) for part in _split(spec, "+")]


def chain(text: str) -> list[str]:
    """Split "a, b:key=1,other=2" into its specs: a part that has = but no name goes on the last.

    Raises:
        BadParameter: If there is none, or a quote is left open.
    """
    found: list[str] = []
    for part in _split(text, ","):
        head = _split(part, "=", at_most=1)[0]
        if found and head != part and ":" not in head:
            found[-1] += f",{part.rstrip()}"
        else:
            found.append(part.strip())
    if not all(found):
        raise BadParameter(f"{text!r} is no chain: a name is missing. Write name, name:key=value.")
    return found


def value(text: str, annotation: str, who: str, key: str) -> Any:
    """The text of one value as the type that the parameter's annotation asks for.

    Raises:
        BadParameter: If the text cannot be read as that type.
    """
    kinds = [kind.strip() for kind in annotation.split("|")]
    for kind in sorted(kinds, key=_ORDER.index):
        read = _read(text, kind)
        if read is not _NO:
            return read
    raise BadParameter(f"{who} needs {key} to be {_prose(kinds)}, got {text!r}.")


def check_type(given: Any, annotation: str, who: str, key: str) -> None:
    """Refuse a Python value whose type is not the annotation's.

    A whole number passes for a float, and numpy's numbers for Python's: searches over a range
    give those.
    """
    kinds = [kind.strip() for kind in annotation.split("|")]
    if not any(_is(given, kind) for kind in kinds):
        raise BadParameter(f"{who} needs {key} to be {_prose(kinds)}, got {short_repr(given)}.")


def write(name: str, params: dict[str, Any]) -> str:
    """The spec of a name and its parameters; `parse` and `value` give them back."""
    pairs = [f"{key}={text(given)}" for key, given in params.items()]
    return ":".join(filter(None, [name, ",".join(pairs)]))


def text(given: Any) -> str:
    """A value as a spec has it, in quotes where it must be."""
    if given is None or isinstance(given, bool):
        return str(given).lower()
    written = str(given)
    plain = written and written == written.strip() and not re.search(r"[,:+='\"]", written)
    if plain or isinstance(given, float):
        return written
    return f'"{written}"' if "'" in written else f"'{written}'"


_NO = object()
_ORDER = ["None", "bool", "int", "float", "str"]
_TYPES: dict[str, type] = {
    "None": type(None),
    "int": numbers.Integral,
    "float": numbers.Real,
    "str": str,
}
_PROSE = {
    "None": "none",
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "a word",
}


def _is(given: Any, kind: str) -> bool:
    if isinstance(given, bool) or kind == "bool":
        return isinstance(given, bool) and kind == "bool"
    return isinstance(given, _TYPES[kind])


def _read(text: str, kind: str) -> Any:
    if kind in ("bool", "None"):
        word = _WORDS.get(text.lower(), _NO)
        return word if (word is None) == (kind == "None") else _NO
    try:
        return {"int": int, "float": float, "str": str}[kind](text)
    except ValueError:
        return _NO


def _view(text: str, spec: str) -> tuple[str, dict[str, str]]:
    name, *rest = _split(text, ":", at_most=1)
    pairs: dict[str, str] = {}
    for item in _split(rest[0], ",") if rest else []:
        key, *given = _split(item, "=", at_most=1)
        if not key.strip() or not given or not given[0].strip():
            raise BadParameter(f"{spec!r} has no value for {key.strip()!r}. Write key=value.")
        if key.strip() in pairs:
            raise BadParameter(f"{spec!r} gives {key.strip()!r} twice. Leave one out.")
        pairs[key.strip()] = _unquote(given[0].strip())
    return _unquote(name.strip()), pairs


def _split(text: str, at: str, at_most: int = -1) -> list[str]:
    """Split outside quotes; a `+` inside a number's exponent (1e+3) is no joint."""
    if not isinstance(text, str):
        raise BadParameter(
            f"a spec needs to be text such as 'name:key=value', got {short_repr(text)}."
        )
    if "".join(tokens := _TOKEN.findall(text)) != text:
        raise BadParameter(f"{text!r} leaves a quote open. Close it, or leave it out.")
    parts = [""]
    for token, after in itertools.zip_longest(tokens, tokens[1:], fillvalue=""):
        exponent = at == "+" and re.search(r"=[-\d.]+e$", parts[-1]) and after.isdigit()
        if token == at and at_most != len(parts) - 1 and not exponent:
            parts.append("")
        else:
            parts[-1] += token
    return parts


def _unquote(text: str) -> str:
    return text[1:-1] if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"" else text


def _prose(kinds: list[str]) -> str:
    return " or ".join(_PROSE.get(kind, kind) for kind in kinds)
