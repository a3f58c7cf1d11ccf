"""Where a command writes when no `-o` is given, and what it must not write over.

A default name is made of the picture's and the command's, in the current folder. The file carries
a mark (`imrep.io.marks`) of the command and of the picture it was made of, so that the same
command may write it again and no other file of that name is lost.
"""

import glob
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from imrep.cli import screen
from imrep.errors import BadParameter
from imrep.io import marks
from imrep.io.files import check_writable

__all__ = ["among", "beside", "fixed", "mark", "name_of", "ready", "spare"]


def beside(source: Path, *words: str, suffix: str = ".png") -> Path:
    """A name for what is made of a picture, in the current folder: cat.hog-cell=4.png."""
    return Path(".".join(filter(None, [source.stem, *map(_slug, words)])) + suffix)


def mark(command: str, *sources: str | Path) -> str:
    """What a file carries: the command, and a digest of the paths it was made of."""
    paths = "\n".join(os.path.realpath(source) for source in sources)
    digest = hashlib.blake2b(os.fsencode(paths), digest_size=8).hexdigest()
    return f"{command} {digest}"


def spare(out: Path, made: str, source: str | Path) -> None:
    """Refuse a default name that exists, unless its mark says that `made` is what is there.

    Args:
        out: The default name.
        made: What `mark` gives for this command and picture.
        source: The picture, for the message.

    Raises:
        BadParameter: The file is of another picture, of another command, or carries no mark.
    """
    if out.is_dir() or (out.exists() and marks.mark(out.read_bytes()) != made):
        raise BadParameter(
            f"{made.partition(' ')[0]} needs a new name for what it makes of {source}, got "
            f"{out}, which is there and may be of another picture. Give another with -o."
        )


def ready(out: Path | None, default: Path, made: str, source: str | Path) -> Path:
    """The picture to write, refused before the work where it cannot be written.

    Args:
        out: What was asked for, if anything was.
        default: The name it has else.
        made: What `mark` gives for this command and picture.
        source: The picture it is made of, for the message.

    Raises:
        BadParameter: The default name is of something else, or the name is of no format.
        BadFile: The system would refuse to write it.
    """
    from imrep import images

    command, path = made.partition(" ")[0], out or default
    if out is None:
        spare(path, made, source)
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


def fixed(pattern: str) -> Path:
    """The folder that a pattern starts from: "photos" of "photos/*/00[12].png"."""
    parts = Path(pattern).parts
    count = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[:count])


def name_of(data: str) -> str:
    """What to call the output of a folder, an archive, a list or a pattern."""
    path = Path(data)
    if data == "-":
        return "pictures"
    if glob.has_magic(data) and not path.exists():
        path = fixed(data)
    path = Path(os.path.abspath(path))  # noqa: PTH100  # the name as given, links not followed
    return (path.name if path.is_dir() else path.stem) or "pictures"


def among(data: str, out: Path, files: Iterable[Path], command: str) -> None:
    """Refuse an output folder that lies among the pictures read, or holds them.

    Args:
        data: DATA as it was given.
        out: The output folder.
        files: The pictures that lie in files of their own.
        command: Who would write.

    Raises:
        BadParameter: It does.
    """
    target, path = out.resolve(), Path(data)
    pattern = data != "-" and glob.has_magic(data) and not path.exists()
    folders = {file.resolve().parent for file in files}
    bases = {path.resolve()} if path.is_dir() else {fixed(data).resolve()} if pattern else folders
    holds = any(folder.is_relative_to(target) for folder in folders)
    if holds or any(target.is_relative_to(base) for base in bases):
        raise BadParameter(
            f"{command} would write among the pictures it reads, to {out}. Give a folder "
            f"elsewhere with -o, such as {_elsewhere(bases)}."
        )


def _elsewhere(bases: set[Path]) -> str:
    """A folder beside all that is read."""
    shared = Path(os.path.commonpath(bases))
    return os.path.relpath(shared.with_name(f"{shared.name}.edited")) if shared.name else "~/edited"


def _slug(word: str) -> str:
    """A spec or a name without what a shell or a pattern would take for more than a letter."""
    return "".join(c if c.isalnum() or c in "=+._-" else "-" for c in word)
