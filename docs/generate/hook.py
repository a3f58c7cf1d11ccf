"""Generates the pages and images that follow from the catalogue, during `mkdocs build`."""

import sys
from functools import cache, partial
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

_DOCS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(_DOCS))

from experiments import page as experiment  # noqa: E402
from generate import edits, gallery, inside, pages  # noqa: E402
from generate.edits import Edited  # noqa: E402
from generate.gallery import Example  # noqa: E402
from generate.photographs import PHOTOGRAPHS, Effort, in_parallel  # noqa: E402

from imrep.registry import catalog, operations  # noqa: E402


def on_startup(**_: Any) -> None:
    """Restore the path, which mkdocs resets after loading this file, for the worker processes."""
    sys.path.insert(0, str(_DOCS))


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """A page for every representation in the navigation, by family."""
    entries: list[Any] = ["representations/index.md"]
    for family, members in pages.families():
        names = [{entry.name: f"representations/{entry.name}.md"} for entry in members]
        entries.append({family.capitalize(): names})
    config.nav = [
        {title: entries if path == "representations/index.md" else path}
        for item in config.nav or []
        for title, path in item.items()
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The generated pages and images, in addition to those in docs/pages."""
    for path, content in _generated().items():
        files.append(File.generated(config, path, content=content))
    report = _DOCS / "report.png"
    files.append(File.generated(config, "assets/report.png", abs_src_path=str(report)))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    """The committed results of an experiment, in its page."""
    path = Path(page.file.src_uri)
    if path.parent.name != "experiments" or path.stem == "index":
        return markdown
    return experiment.rendered(markdown, path.stem)


def _generated() -> dict[str, str | bytes]:
    effort = Effort.from_environment()
    examples, edited, looked = _computed(effort)
    files: dict[str, str | bytes] = {
        "gallery.md": pages.gallery(examples, effort),
        "representations/index.md": pages.table(examples, effort),
        "edit.md": edits.page(edited),
        "inside.md": inside.page(),
    }
    for name, example in examples.items():
        page = pages.representation(catalog.entry(name), example, effort)
        files[f"representations/{name}.md"] = page
    inner: dict[str, str | bytes] = {f"pictures/{stem}.jpg": file for stem, file in looked.items()}
    return files | _images(examples, edited) | inner


def _images(examples: dict[str, Example], edited: dict[str, Edited]) -> dict[str, str | bytes]:
    images: dict[str, bytes | None] = {}
    for name, example in examples.items():
        for photograph, shot in zip(PHOTOGRAPHS, example.shots, strict=True):
            images[f"{name}-{photograph}"] = shot.picture
            images[f"{name}-{photograph}-reconstruction"] = shot.reconstruction
            images[photograph] = shot.original
    for name, pair in edited.items():
        if pair.after:
            images |= {f"edit-{name}-before": pair.before, f"edit-{name}": pair.after}
    return {f"pictures/{stem}.jpg": file for stem, file in images.items() if file}


@cache
def _computed(
    effort: Effort,
) -> tuple[dict[str, Example], dict[str, Edited], dict[str, bytes]]:
    """All examples, computed once in a `mkdocs serve`."""
    encoding = [partial(gallery.example, name, effort) for name in catalog.names()]
    editing = [partial(edits.example, name, effort) for name in operations.names()]
    inner = [
        (method, weights, photograph)
        for method in inside.METHODS
        for weights in inside.WEIGHTS
        for photograph in method.photographs
    ]
    looking = [partial(inside.figure, *each, effort) for each in inner]
    results = in_parallel([*looking, *encoding, *editing])
    looked, results = results[: len(looking)], results[len(looking) :]
    examples, edited = results[: len(encoding)], results[len(encoding) :]
    return (
        {each.name: each for each in examples},
        {each.name: each for each in edited},
        {inside.stem(*each): file for each, file in zip(inner, looked, strict=True)},
    )
