"""The grammar of specs: `name:key=value,key=value`, joined by `+`.

A value, or a folder in place of a name, that holds one of `, : + =` is quoted with ' or ". Types
come from the constructor's annotations, so that `arch=50` stays a string where a string is meant.
"""

import difflib
import itertools
import numbers
import re
from collections.abc import Iterable, Mapping
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
    """The name of each view, its parameters unread.

    Raises:
        BadParameter: If the spec is no text, or a quote is left open.
    """
    return [_unquote(_split(part, ":", at_most=1)[0].strip()) for part in _split(spec, "+")]


def chain(text: str) -> list[str]:
    """Split "a, b:key=1,other=2" into its specs: a part with = and no name belongs to the last.

    Raises:
        BadParameter: If there is none, or a quote is left open.
    """
    specs: list[str] = []
    for part in _split(text, ","):
        head = _split(part, "=", at_most=1)[0]
        if specs and head != part and ":" not in head:
            specs[-1] += f",{part.rstrip()}"
        else:
            specs.append(part.strip())
    if not all(specs):
        raise BadParameter(f"{text!r} is no chain: a name is missing. Write name, name:key=value.")
    return specs


def value(text: str, annotation: str, caller: str, key: str) -> Any:
    """The text of one value as the type that the parameter's annotation asks for.

    Raises:
        BadParameter: If the text cannot be read as that type.
    """
    kinds = _kinds(annotation, caller, key)
    for kind in sorted(kinds, key=_ORDER.index):
        parsed = _read(text, kind)
        if parsed is not _NO:
            return parsed
    raise BadParameter(f"{caller} needs {key} to be {_prose(kinds)}, got {text!r}.")


def typed(texts: Mapping[str, str], annotations: Mapping[str, str], caller: str) -> dict[str, Any]:
    """The values of a spec as the types of their parameters.

    Args:
        texts: The text of each value by its key, in any letter case.
        annotations: The annotation of each parameter.
        caller: The name that an error message starts with.

    Raises:
        BadParameter: If there is no such parameter, or a text cannot be read as its type.
    """
    return {
        key: value(text, annotations[key], caller, key)
        for key, text in matched(texts, annotations, caller).items()
    }


def matched(texts: Mapping[str, str], names: Iterable[str], caller: str) -> dict[str, str]:
    """The texts under the names of the parameters, whatever the letter case of their keys.

    Raises:
        BadParameter: If there is no such parameter, or one is given twice.
    """
    spelling = {name.lower(): name for name in names}
    check_keys([key for key in texts if key.lower() not in spelling], names, caller)
    respelt = {spelling[key.lower()]: text for key, text in texts.items()}
    if len(respelt) < len(texts):
        raise BadParameter(f"{caller} needs each parameter once, got {', '.join(texts)}.")
    return respelt


def check_keys(keys: Iterable[str], names: Iterable[str], caller: str) -> None:
    """Refuse keys that are no parameters, and offer the nearest.

    Raises:
        BadParameter: Naming the first of them, and all parameters.
    """
    spelling = {name.lower(): name for name in names}
    for key in sorted(set(keys) - set(spelling.values())):
        nearest = difflib.get_close_matches(key.lower(), spelling, n=1)
        hint = f". Did you mean {spelling[nearest[0]]!r}?" if nearest else ""
        takes = ", ".join(spelling.values()) or "none"
        raise BadParameter(f"{caller} has no parameter {key!r}; it takes {takes}{hint}")


def is_plain(annotation: str) -> bool:
    """Whether a spec can hold values of the annotated types."""
    return {kind.strip() for kind in annotation.split("|")} <= set(_ORDER)


def check_type(value: Any, annotation: str, caller: str, key: str) -> None:
    """Refuse a Python value whose type is not the annotation's.

    A whole number passes for a float, and numpy's numbers for Python's: searches over a range
    give those.
    """
    kinds = _kinds(annotation, caller, key)
    if not any(_is(value, kind) for kind in kinds):
        raise BadParameter(f"{caller} needs {key} to be {_prose(kinds)}, got {short_repr(value)}.")


def write(name: str, params: dict[str, Any]) -> str:
    """The spec of a name and its parameters; `parse` and `value` give them back."""
    pairs = [f"{key}={text(value)}" for key, value in params.items()]
    return ":".join(filter(None, [name, ",".join(pairs)]))


def text(value: Any) -> str:
    """A value as a spec has it, in quotes where it must be."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    bare = str(value)
    plain = bare and bare == bare.strip() and not re.search(r"[,:+='\"]", bare)
    if plain or isinstance(value, float):
        return bare
    return f'"{bare}"' if "'" in bare else f"'{bare}'"


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


def _kinds(annotation: str, caller: str, key: str) -> list[str]:
    """The types that an annotation joins by |.

    Raises:
        BadParameter: If one of them is none that a spec can hold.
    """
    if not is_plain(annotation):
        raise BadParameter(
            f"{caller} needs its parameter {key!r} annotated with {', '.join(_ORDER)}, got "
            f"{annotation or 'nothing'}. A spec holds no other types."
        )
    return [kind.strip() for kind in annotation.split("|")]


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool) or kind == "bool":
        return isinstance(value, bool) and kind == "bool"
    return isinstance(value, _TYPES[kind])


def _read(text: str, kind: str) -> Any:
    if kind in ("bool", "None"):
        word = _WORDS.get(text.lower(), _NO)
        return word if (word is None) == (kind == "None") else _NO
    try:
        return {"int": int, "float": float, "str": str}[kind](text)
    except ValueError:
        return _NO


def _view(text: str, spec: str) -> tuple[str, dict[str, str]]:
    name, *parameters = _split(text, ":", at_most=1)
    pairs: dict[str, str] = {}
    for item in _split(parameters[0], ",") if parameters else []:
        key, *values = _split(item, "=", at_most=1)
        if not key.strip() or not values or not values[0].strip():
            raise BadParameter(f"{spec!r} has no value for {key.strip()!r}. Write key=value.")
        if key.strip() in pairs:
            raise BadParameter(f"{spec!r} gives {key.strip()!r} twice. Leave one out.")
        pairs[key.strip()] = _unquote(values[0].strip())
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
