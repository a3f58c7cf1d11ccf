"""The folder of a fitted representation beside a store: OUT.rep/.

It is fitted once, before the first vector is stored; every later run loads it, so that all vectors
of a store are by the same codebook.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from imrep.base import Representation
from imrep.datasets import Item
from imrep.embedding import fitting
from imrep.embedding.shards import Settings
from imrep.errors import BadData, StoreMismatch
from imrep.io.files import resolved, sync
from imrep.types import Progress

_CONFIG = "config.json"


def beside(out: Path) -> Path:
    """Where the representation of a store is saved."""
    return out.with_name(f"{out.name}.rep")


def check(out: Path, rep: Representation) -> None:
    """Refuse, before any work is done, to overwrite another folder of that name.

    Raises:
        BadData: imrep embed did not write it.
    """
    folder = beside(out)
    if rep.needs_fit and folder.exists() and not _was_fitted(folder):
        raise BadData(
            f"{rep.name} needs {folder}/ to keep its codebook in, got a folder that imrep embed "
            "did not write. Move it away or use another -o."
        )


def fit_once(
    rep: Representation,
    items: Sequence[Item],
    out: Path,
    settings: Settings,
    seed: int,
    progress: Progress,
    *,
    has_rows: bool,
) -> int:
    """Fit a representation that needs it, in place, or load what an earlier run fitted.

    Args:
        rep: The representation.
        items: The images, of which a sample is fitted on.
        out: The store.
        settings: How images are read.
        seed: Of the sample.
        progress: Called with a phrase, the number done and the total.
        has_rows: Whether the store has vectors, which only their own codebook continues.

    Returns:
        Images it was fitted on; 0 where nothing is fitted.

    Raises:
        StoreMismatch: The store has vectors, and the folder is not there.
    """
    if not rep.needs_fit:
        return 0
    folder = beside(out)
    if _was_fitted(folder) and _spec(folder) == rep.spec:
        rep.load_weights(folder)
        return int(json.loads((folder / fitting.SUMMARY).read_text())["images"])
    if has_rows:
        raise StoreMismatch(
            f"{out} needs the codebook of its vectors in {folder}/, got none of {rep.spec}. "
            "Put the folder back, or use another -o."
        )
    count = fitting.fit(rep, items, settings, seed, progress)
    _publish(rep, resolved(folder), {"images": count, "size": settings.size, "seed": seed})
    rep.load_weights(folder)  # the numbers that later runs load
    return count


def _publish(rep: Representation, folder: Path, summary: dict[str, int | None]) -> None:
    """Save it under its name, complete or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.with_name(f".imrep-draft-{folder.name}")
    shutil.rmtree(draft, ignore_errors=True)  # of a killed run; the caller holds the lock
    try:
        fitting.save(rep, draft, summary)
        for file in draft.iterdir():
            sync(file)
        if folder.exists():  # of a store of this name that was removed
            shutil.rmtree(folder)
        draft.replace(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    sync(folder.parent)


def _was_fitted(folder: Path) -> bool:
    return (folder / fitting.SUMMARY).is_file() and (folder / _CONFIG).is_file()


def _spec(folder: Path) -> str:
    return str(json.loads((folder / _CONFIG).read_text()).get("spec"))
