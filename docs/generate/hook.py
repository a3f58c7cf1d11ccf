"""Makes, during `mkdocs build`, every page and picture that follows from the catalogue."""

import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

_DOCS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(_DOCS))

from generate import gallery, pages  # noqa: E402

from imrep import catalog  # noqa: E402


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
    effort = gallery.Effort.wanted()
    shown = gallery.gather(catalog.names(), effort)
    made: dict[str, str | bytes] = {
        "gallery.md": pages.gallery(shown, effort),
        "representations/index.md": pages.table(shown, effort),
    }
    for name, one in shown.items():
        made[f"representations/{name}.md"] = pages.representation(catalog.entry(name), one, effort)
        for photograph, shot in zip(gallery.PHOTOGRAPHS, one.shots, strict=True):
            made[f"pictures/{name}-{photograph}.jpg"] = shot.picture
            if shot.rebuilt:
                made[f"pictures/{name}-{photograph}-rebuilt.jpg"] = shot.rebuilt
    for photograph in gallery.PHOTOGRAPHS:
        made[f"pictures/{photograph}.jpg"] = gallery.original(photograph, effort.side)
    return made
