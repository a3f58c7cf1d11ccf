"""What a store holds, in numbers."""

from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from imrep.store import layout
from imrep.store.table import Store


def of(store: Store) -> dict[str, Any]:
    """The facts of a store, its labels, files, versions and bytes on the disk."""
    facts = store.facts
    labels = store.rows(["label"])["label"]
    return {
        "spec": facts.spec,
        "fingerprint": facts.fingerprint,
        "rows": facts.rows,
        "marked_deleted": facts.deleted,
        "labels": int(pc.count_distinct(labels).as_py()),
        "dim": facts.dim,
        "dtype": facts.dtype,
        "size": "native" if facts.size is None else f"{facts.size} px",
        "data": facts.data,
        "version": facts.version,
        "versions": len(layout.manifests(store.path)),
        "files": len(store.dataset.get_fragments()),
        "bytes": _bytes(store.path),
        "imrep": facts.imrep,
    }


def _bytes(folder: Path) -> int:
    """Bytes of all files; a writer may remove some meanwhile."""
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except FileNotFoundError:
            continue
    return total
