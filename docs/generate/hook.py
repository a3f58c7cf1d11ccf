"""Makes, during `mkdocs build`, every page and picture that follows from the catalogue."""

import sys
from functools import cache, partial
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

_DOCS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(_DOCS))

from generate import edits, gallery, pages  # noqa: E402
from generate.edits import Edited  # noqa: E402
from generate.gallery import Shown  # noqa: E402
from generate.photographs import PHOTOGRAPHS, Effort, together  # noqa: E402

from imrep.registry import catalog, operations  # noqa: E402


def on_startup(**_: Any) -> None:
    """The path is forgotten after loading this file; the processes that draw need it."""
    sys.path.insert(0, str(_DOCS))


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """A page for every representation in the navigation, by family."""
    found: list[Any] = ["representations/index.md"]
    for family, entries in pages.families():
        names = [{entry.name: f"representations/{entry.name}.md"} for entry in entries]
        found.append({family.capitalize(): names})
    config.nav = [
        {title: found if path == "representations/index.md" else path}
        for item in config.nav or []
        for title, path in item.items()
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The pages and pictures, beside those that lie in docs/pages."""
    for path, content in _made().items():
        files.append(File.generated(config, path, content=content))
    report = _DOCS / "report.png"
    files.append(File.generated(config, "assets/report.png", abs_src_path=str(report)))
    return files


def _made() -> dict[str, str | bytes]:
    effort = Effort.wanted()
    shown, edited = _drawn(effort)
    made: dict[str, str | bytes] = {
        "gallery.md": pages.gallery(shown, effort),
        "representations/index.md": pages.table(shown, effort),
        "edit.md": edits.page(edited),
    }
    for name, one in shown.items():
        made[f"representations/{name}.md"] = pages.representation(catalog.entry(name), one, effort)
    return made | _pictures(shown, edited)


def _pictures(shown: dict[str, Shown], edited: dict[str, Edited]) -> dict[str, str | bytes]:
    made: dict[str, bytes | None] = {}
    for name, one in shown.items():
        for photograph, shot in zip(PHOTOGRAPHS, one.shots, strict=True):
            made[f"{name}-{photograph}"] = shot.picture
            made[f"{name}-{photograph}-rebuilt"] = shot.rebuilt
            made[photograph] = shot.original
    for name, other in edited.items():
        if other.after:
            made |= {f"edit-{name}-before": other.before, f"edit-{name}": other.after}
    return {f"pictures/{stem}.jpg": file for stem, file in made.items() if file}


@cache
def _drawn(effort: Effort) -> tuple[dict[str, Shown], dict[str, Edited]]:
    """Everything that takes long, once in a `mkdocs serve`."""
    showing = [partial(gallery.show, name, effort) for name in catalog.names()]
    editing = [partial(edits.show, name, effort) for name in operations.names()]
    found = together([*showing, *editing])
    shown, edited = found[: len(showing)], found[len(showing) :]
    return {one.name: one for one in shown}, {one.name: one for one in edited}
