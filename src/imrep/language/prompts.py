"""Labels and the sentences that they are put into.

A representation of images and text was trained on sentences: the mean of a label's vectors in
several of them says better what it means than the bare label.

References:
    A. Radford et al., "Learning transferable visual models from natural language supervision",
    ICML 2021. https://arxiv.org/abs/2103.00020 (section 3.1.4, prompt ensembles)
"""

import importlib
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from imrep.errors import BadParameter, ExtraNeeded

__all__ = ["TEMPLATES", "fill", "has_words", "other_scripts", "read_labels", "read_templates",
           "readable", "same"]  # fmt: skip

TEMPLATES = ("{}", "a photo of a {}.", "a picture of a {}.", "a close-up of a {}.")
_MAX_CHARACTERS = 300  # of a label: more is a text, which models cut off
_NAMED = {"openai": "OPENAI_IMAGENET_TEMPLATES", "simple": "SIMPLE_IMAGENET_TEMPLATES"}
_ARTICLE = re.compile(r"(?:an?|the|some)\s", re.IGNORECASE)
_BEFORE = re.compile(r"\b(?:an?|the)\s+\{\}", re.IGNORECASE)
_PREFIX = re.compile(r"^(?:n\d{8}|\d+)[\s._-]+(?=\D)")  # WordNet's number, or one that sorts
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
_NUMBER = re.compile(r"(?:n\d{8}|(?:class|category|cat|label|cls|c|id)?[\s_-]*[\d.,+-]+)", re.I)


def read_labels(labels: str | Sequence[str]) -> tuple[str, ...]:
    """Labels as people give them, white space within reduced to single spaces.

    Args:
        labels: A list; or the labels with commas between; or the name of a file with one a line.

    Raises:
        BadParameter: One is empty, repeated or over-long, there are fewer than two, or the file
            is no text.
    """
    values, where = _listed(labels, ",")
    values = [" ".join(value.split()) for value in values]
    first: dict[str, int] = {}
    for number, value in enumerate(values, start=1):
        if not value:
            raise BadParameter(
                f"classify needs every label to be a text, got an empty one, number {number} of "
                f"{where}. Leave it out."
            )
        if len(value) > _MAX_CHARACTERS:
            raise BadParameter(
                f"classify needs labels of at most {_MAX_CHARACTERS} characters, got "
                f"{len(value):,} in number {number} of {where}, {value[:40]!r}… Name the class, "
                "and describe it by --templates."
            )
        if (before := first.setdefault(same(value), number)) != number:
            raise BadParameter(
                f"classify needs each label once, got {value!r} as numbers {before} and {number} "
                f"of {where}. Leave one out."
            )
    if len(values) < 2:
        raise BadParameter(
            f"classify needs two labels or more, got {len(values)} in {where}: a single one would "
            "get all. Add another, or use imrep search."
        )
    return tuple(values)


def read_templates(templates: str | Sequence[str] | None) -> tuple[str, ...]:
    """Sentences with {} where the label goes.

    Args:
        templates: A list; the name of a file with one a line; one sentence; "openai" or "simple"
            for those of the package open_clip; None for `TEMPLATES`.

    Raises:
        BadParameter: One has no {}, or there is none.
        ExtraNeeded: The package is not installed.
    """
    if templates is None:
        return TEMPLATES
    if isinstance(templates, str) and templates in _NAMED:
        return tuple(make("{}") for make in getattr(_open_clip(), _NAMED[templates]))
    if not isinstance(templates, str) and len(templates) == 1 and "{}" not in templates[0]:
        return read_templates(templates[0])
    values, where = _listed(templates, None)
    for value in values:
        if value.count("{}") != 1:
            raise BadParameter(
                f"a template needs {{}} once, where the label goes, got {value!r} in {where}. "
                f"Try 'a photo of a {{}}.', or one of {', '.join(_NAMED)}."
            )
    if not values:
        raise BadParameter(
            f"templates need a sentence or more, got none in {where}. Try 'a photo of {{}}.'"
        )
    return tuple(dict.fromkeys(values))


def fill(template: str, label: str) -> str:
    """The sentence with the label; it has one article, where the label brings its own.

    Example:
        >>> fill("a photo of a {}.", "a cat"), fill("a photo of a {}.", "cat")
        ('a photo of a cat.', 'a photo of a cat.')
    """
    if _ARTICLE.match(label):
        template = _BEFORE.sub("{}", template)
    return template.replace("{}", label)


def readable(name: str) -> str:
    """The name of a class as words.

    Example:
        >>> [readable(name) for name in ("001.Black_footed_Albatross", "AnnualCrop")]
        ['Black footed Albatross', 'Annual Crop']
    """
    words = re.sub(r"[_\-]+", " ", _PREFIX.sub("", name))
    return " ".join(_CAMEL.sub(" ", words).split()) or name


def has_words(name: str) -> bool:
    """Whether the name of a class says anything: a number, alone or after "class", does not."""
    letters = any(character.isalpha() for character in name)
    is_letter = len(readable(name)) == 1 and name.isascii()
    return letters and not is_letter and not _NUMBER.fullmatch(name.strip())


def same(label: str) -> str:
    """The key by which labels are compared: without article, case and the form of its accents."""
    text = unicodedata.normalize("NFKC", _ARTICLE.sub("", readable(label), count=1))
    return text.casefold()


def other_scripts(labels: Sequence[str]) -> list[str]:
    """Labels with a letter that is not Latin."""
    return [label for label in labels if any(map(_is_foreign, label))]


def _is_foreign(character: str) -> bool:
    return character.isalpha() and not unicodedata.name(character, "LATIN").startswith("LATIN")


def _listed(values: str | Sequence[str], separator: str | None) -> tuple[list[str], str]:
    """The values, and what to call where they stand."""
    if not isinstance(values, str):
        if not all(isinstance(value, str) for value in values):
            raise BadParameter(
                f"classify needs texts, got {next(v for v in values if not isinstance(v, str))!r}. "
                "Write it as a str."
            )
        return list(values), "the list"
    if _is_file(values):
        return _lines(Path(values)), Path(values).name
    return values.split(separator) if separator else [values], "the option"


def _is_file(value: str) -> bool:
    try:
        return "\0" not in value and Path(value).expanduser().is_file()
    except OSError:  # longer than the system allows
        return False


def _lines(path: Path) -> list[str]:
    """The lines of a file that are not blank."""
    try:
        text = path.expanduser().read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadParameter(
            f"{path.name} needs to be UTF-8 text with one label a line, got other bytes ({error})."
        ) from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def _open_clip() -> ModuleType:
    try:
        return importlib.import_module("open_clip.zero_shot_metadata")
    except ImportError as error:
        raise ExtraNeeded(
            "templates of that name need the package open_clip. pip install 'imrep[clip]'"
        ) from error
