"""Default names of outputs, and the files that an output may replace.

A default name combines the image's and the command's, in the current folder. The file carries a
mark (`imrep.io.marks`) of the command and its sources: the same command may replace it, and no
other file of that name is lost.
"""

import glob
import os
from collections.abc import Iterable
from pathlib import Path

from imrep.cli import screen
from imrep.errors import BadParameter
from imrep.io import marks
from imrep.io.digests import digest
from imrep.io.files import check_writable

__all__ = [
    "beside",
    "check_replaceable",
    "check_separate",
    "mark",
    "name_of",
    "pattern_root",
    "ready",
]


def beside(source: Path, *words: str, suffix: str = ".png") -> Path:
    """A name for an output of an image, in the current folder: cat.hog-cell=4.png."""
    return Path(".".join(filter(None, [source.stem, *map(_slug, words)])) + suffix)


def mark(command: str, *sources: str | Path) -> str:
    """The mark of an output: the command, and a digest of its sources' paths."""
    paths = "\n".join(os.path.realpath(source) for source in sources)
    return f"{command} {digest(os.fsencode(paths), size=8)}"


def check_replaceable(out: Path, expected: str, source: str | Path) -> None:
    """Refuse a default name that exists, unless its file carries the expected mark.

    Args:
        out: The default name.
        expected: The `mark` of this command and image.
        source: The image, for the message.

    Raises:
        BadParameter: The file is of another image, of another command, or carries no mark.
    """
    if out.is_dir() or (out.exists() and marks.mark(out.read_bytes()) != expected):
        raise BadParameter(
            f"{expected.partition(' ')[0]} needs a new name for its output of {source}, got "
            f"{out}, which exists and may be of another image. Give another with -o."
        )


def ready(out: Path | None, default: Path, expected: str, source: str | Path) -> Path:
    """The image file to write, refused before the work where it cannot be written.

    Args:
        out: The requested name, if any.
        default: The name otherwise.
        expected: The `mark` of this command and image.
        source: The image that is read, for the message.

    Raises:
        BadParameter: The default name belongs to another file, or the suffix to no format.
        BadFile: The system would refuse to write it.
    """
    from imrep import images

    command, path = expected.partition(" ")[0], out or default
    if out is None:
        check_replaceable(path, expected, source)
    if not path.is_dir() and path.suffix.lower() not in images.SUFFIXES:
        suffixes = ", ".join(images.SUFFIXES)
        raise BadParameter(
            f"{command} needs a name ending in {suffixes}, got {path.name!r}. Try {path.stem}.png."
        )
    if Path(source).is_file() and path.is_file() and path.samefile(source):
        raise BadParameter(f"{command} would write over {source}, which it reads. Use another -o.")
    with screen.writing(path):
        check_writable(path)
    return path


def pattern_root(pattern: str) -> Path:
    """The folder before a pattern's first wildcard: "photos" of "photos/*/00[12].png"."""
    parts = Path(pattern).parts
    count = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[:count])


def name_of(data: str) -> str:
    """The name of the output of a folder, an archive, a list or a pattern."""
    path = Path(data)
    if data == "-":
        return "pictures"
    if glob.has_magic(data) and not path.exists():
        path = pattern_root(data)
    path = Path(os.path.abspath(path))  # noqa: PTH100  # links are not followed
    return (path.name if path.is_dir() else path.stem) or "pictures"


def check_separate(data: str, out: Path, files: Iterable[Path], command: str) -> None:
    """Refuse an output folder that lies among the images read, or contains them.

    Args:
        data: The argument DATA.
        out: The output folder.
        files: The images that are files of their own.
        command: The name that the message starts with.

    Raises:
        BadParameter: The output folder lies among the images.
    """
    target, path = out.resolve(), Path(data)
    pattern = data != "-" and glob.has_magic(data) and not path.exists()
    folders = {file.resolve().parent for file in files}
    bases = (
        {path.resolve()}
        if path.is_dir()
        else {pattern_root(data).resolve()}
        if pattern
        else folders
    )
    contains = any(folder.is_relative_to(target) for folder in folders)
    if contains or any(target.is_relative_to(base) for base in bases):
        raise BadParameter(
            f"{command} would write among the images it reads, to {out}. Give a folder "
            f"elsewhere with -o, such as {_elsewhere(bases)}."
        )


def _elsewhere(bases: set[Path]) -> str:
    """A folder beside all images read, for the message."""
    shared = Path(os.path.commonpath(bases))
    return os.path.relpath(shared.with_name(f"{shared.name}.edited")) if shared.name else "~/edited"


def _slug(word: str) -> str:
    """A spec or a name without characters that are special in a shell or a pattern."""
    return "".join(c if c.isalnum() or c in "=+._-" else "-" for c in word)
