"""Rows for a store, and a small one."""

import numpy as np
import pytest

from imrep.store import commits, layout
from imrep.store.commits import Writer

FACTS = {"spec": "hog", "fingerprint": "3fa1b2", "size": "64", "imrep": "0.1.0", "data": "/photos"}


@pytest.fixture(scope="session")
def rows():
    """Make a table of rows with these paths."""

    def rows(names, dtype="float32", dim=4, **more):
        schema = layout.schema(dim, dtype, {})
        return commits.table(
            (
                {
                    "path": name,
                    "digest": f"d-{name}",
                    "label": name[0],
                    "width": 4,
                    "height": 3,
                    "vector": np.arange(dim) + i,
                    "deleted": False,
                    "stamp": "1",
                }
                | more
                for i, name in enumerate(names)
            ),
            schema,
        )

    return rows


@pytest.fixture
def path(tmp_path, rows):
    """A store of three rows."""
    path = tmp_path / "s.lance"
    with Writer(path) as writer:
        writer.create(4, "float32", FACTS)
        writer.append(rows(["a/1", "a/2", "b/3"]))
    return path
