"""Weights inside installed packages, found by the package's name without importing it."""

import importlib.util
import re
from importlib import metadata
from pathlib import Path

from imrep.errors import BadParameter

SUFFIXES = (".safetensors", ".pth", ".pt", ".bin", ".ckpt")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LISTED = 3  # files that a message names


def locate(name: str, who: str) -> Path | None:
    """The file of weights that a package holds, or None where no such package is installed.

    Args:
        name: What the package is installed as, or imported as; followed by "/" and the end of a
            file's path where it holds several.
        who: Name to blame in the message.

    Raises:
        BadParameter: If the package holds no file of weights by that name, or several.
    """
    package, _, inner = name.partition("/")
    if not _NAME.fullmatch(package):
        return None
    files = _files(package)
    if files is None:
        return None
    matches = [file for file in files if not inner or file.as_posix().endswith(f"/{inner}")]
    if len(matches) == 1:
        return matches[0]
    held = ", ".join(sorted({file.name for file in files})[:_LISTED])
    remedy = (
        f"Write weights={package}/FILE: it holds {held}." if held else "Pass a file or a folder."
    )
    called = f" called {inner}" if inner else ""
    raise BadParameter(
        f"{who} needs one file of weights{called} in the package {package}, "
        f"got {len(matches) or 'none'}. {remedy}"
    )


def _files(package: str) -> list[Path] | None:
    """Every file of weights in a package, or None where there is no such package."""
    try:
        listed = [Path(str(path.locate())) for path in metadata.files(package) or ()]
    except metadata.PackageNotFoundError:
        listed = []
        known = False
    else:
        known = True
    found = [path for path in listed if path.suffix in SUFFIXES and path.is_file()]
    folders = [] if found else _import_folders(package.replace("-", "_"))
    found += [path for folder in folders for path in _inside(folder)]
    return sorted(set(found)) if known or folders else None


def _import_folders(module: str) -> list[Path]:
    if not module.isidentifier():  # find_spec would import the parent of a dotted name
        return []
    try:
        spec = importlib.util.find_spec(module)
    except ValueError:  # a module without a spec, as __main__ may be
        return []
    return [Path(folder) for folder in (spec and spec.submodule_search_locations) or ()]


def _inside(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.suffix in SUFFIXES and path.is_file()]
