"""The rows of a store as one file of vectors, as `imrep embed` writes them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imrep.errors import BadData
from imrep.io import vectors
from imrep.io.files import check_writable, replacing
from imrep.store.table import Store, array

_COLUMNS = ("path", "label")


def export(store: Store, out: Path, where: str | None = None) -> int:
    """Write rows to .parquet, .npz or .safetensors, complete or not at all.

    Args:
        store: The store.
        out: The file; its suffix names the format.
        where: A condition in SQL, such as "label = 'cat'".

    Returns:
        Number of rows.

    Raises:
        BadParameter: The suffix names no format, or the condition cannot be read.
        BadData: No row meets the condition, or a file of the store is damaged.
        OSError: The system refuses to write.
    """
    vectors.suffix(out)
    check_writable(out)
    rows = store.rows(_COLUMNS, where)
    if not rows.num_rows:
        condition = f" with {where}" if where else ""
        raise BadData(f"{store.path} needs rows{condition} to export, got none. Ask for others.")
    facts = store.facts
    origin = {
        "spec": facts.spec,
        "fingerprint": facts.fingerprint,
        "size": "native" if facts.size is None else str(facts.size),
        "imrep": facts.imrep,
    }
    columns = {name: rows[name].to_pylist() for name in _COLUMNS}
    table = vectors.Table(_pieces(store, where), rows.num_rows, facts.dim, columns, origin)
    with replacing(out) as draft:
        vectors.write(draft, table)
    return int(rows.num_rows)


def _pieces(store: Store, where: str | None) -> Iterator[NDArray[np.float32]]:
    for batch in store.batches(["vector"], where):
        yield array(batch["vector"])
