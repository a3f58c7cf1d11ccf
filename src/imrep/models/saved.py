"""The folder of a saved model: model.json, model.safetensors, and what was fitted to images.

Nothing in it is pickled. The folder appears complete or not at all; digests of all files in
model.json tell a changed or incomplete copy. It holds no path of the user's and no image, but the
vectors of the training images.
"""

import json
from dataclasses import replace
from pathlib import Path

from safetensors import SafetensorError
from safetensors.numpy import load, save

from imrep import adapters
from imrep.embedding.checkpoints import WorkFolder
from imrep.errors import BadData, BadParameter
from imrep.io.digests import digest
from imrep.io.files import check_folder_writable
from imrep.io.provenance import FOLDER, write_mark
from imrep.models import arrays, document
from imrep.models.fitted_model import FittedModel, Part

JSON, ARRAYS = "model.json", "model.safetensors"


def check_name(folder: Path) -> None:
    """Refuse, before any work is done, a folder that a model cannot be saved in.

    Raises:
        BadData: It holds something else than a saved model.
        OSError: The system would refuse to write it.
    """
    check_folder_writable(folder.parent)
    if folder.exists() and not folder.is_dir():
        raise BadData(f"a model needs a folder, got the file {folder}. Try {folder}.model.")
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    if names and not is_saved(folder):
        raise BadData(
            f"a model needs a folder of its own, got {folder}, which holds {names[0]}. "
            f"Try {folder / 'model'}."
        )


def is_saved(folder: Path) -> bool:
    """Whether an earlier run saved a model there."""
    return (folder / JSON).is_file() and (folder / FOLDER).is_file()


def write(model: FittedModel, folder: Path) -> Path:
    """Save a model in a folder, in place of the one that an earlier run saved there.

    Returns:
        The folder.

    Raises:
        BadData: The folder holds something else.
        BadParameter: A part is a function or module of the caller's, which cannot be saved.
        Busy: Another run saves there.
        OSError: The system refuses to write.
    """
    check_name(folder)
    for part in model.parts:
        if isinstance(part.rep, adapters.Wrapped):
            raise BadParameter(
                f"saving needs a representation that can be built again, got {part.spec}, an "
                "object. Embed with it and compare the vectors (--vectors)."
            )
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with WorkFolder(folder, {"saves": folder.name, "created": model.created}) as work:
        draft = work.write("model", lambda path: _fill(path, model))
        if folder.exists():
            folder.replace(work.path / "replaced")
        draft.replace(folder)
        work.discard()
    return folder


def read(folder: Path) -> FittedModel:
    """A saved model.

    Raises:
        BadData: There is none, it is of another format, or its files are not as they were saved.
        StoreMismatch: A representation gives other numbers in this version of imrep.
        WeightsNeeded: Weights of a network are not on this machine.
        ExtraNeeded: A package is not installed.
    """
    text = _text(folder)
    try:
        content = json.loads(text)
    except ValueError as error:
        raise BadData(_changed(folder, JSON)) from error
    document.check_format(content, folder)
    if content.get("digest") != document.digest_of(content):
        raise BadData(_changed(folder, JSON))
    for name, expected in {ARRAYS: "", **content.get("files", {})}.items():
        if _digest(folder / name) != expected:
            raise BadData(_changed(folder, name))
    try:
        stored = load((folder / ARRAYS).read_bytes())
    except SafetensorError as error:
        raise BadData(_changed(folder, ARRAYS)) from error
    model = document.model(content, stored, folder)
    return replace(model, identity=content["digest"])


def _text(folder: Path) -> str:
    path = folder / JSON
    if not path.is_file():
        what = "no such folder" if not folder.exists() else "one without it"
        raise BadData(
            f"{folder} needs to be a saved model, a folder with {JSON}; got {what}. Save one "
            "with: imrep compare photos/ --save model/."
        )
    return path.read_text(encoding="utf-8", errors="replace")


def _changed(folder: Path, name: str) -> str:
    state = "another file" if (folder / name).is_file() else "none"
    return (
        f"{folder} needs {name} as it was saved, got {state}. Copy the folder again, or run "
        "compare --save again."
    )


def _fill(draft: Path, model: FittedModel) -> None:
    draft.mkdir()
    write_mark(draft, "classifier")
    folders = [_save_part(draft, number, part) for number, part in enumerate(model.parts)]
    stored = arrays.of(model)
    (draft / ARRAYS).write_bytes(save(stored))
    content = document.of(model, folders)
    content["files"] = {
        path.relative_to(draft).as_posix(): _digest(path)
        for path in sorted(draft.rglob("*"))
        if path.is_file() and path.name != FOLDER
    }
    content["digest"] = document.digest_of(content)
    (draft / JSON).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _save_part(draft: Path, number: int, part: Part) -> str | None:
    """The folder of a representation that no spec alone builds again; None for the others."""
    rep = part.rep
    if rep is None or (rep.spec == rep._identity() and adapters.typable(rep)):
        return None
    rep.save(draft / f"rep{number}")
    return f"rep{number}/"


def _digest(path: Path) -> str:
    return digest(path.read_bytes()) if path.is_file() else ""
