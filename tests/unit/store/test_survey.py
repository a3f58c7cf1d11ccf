"""The numbers of a store."""

import pytest

from imrep import store
from imrep.store import survey
from imrep.store.commits import Writer

pytest.importorskip("lance", reason="pylance is not installed: pip install 'imrep[store]'")


def test_rows_labels_files_versions_and_bytes_are_counted(path, rows):
    with Writer(path) as writer:
        writer.append(rows(["c/4"], deleted=True))
    content = survey.of(store.open(path))
    assert (content["rows"], content["marked_deleted"], content["labels"]) == (3, 1, 2)
    assert (content["files"], content["versions"], content["size"]) == (2, 3, "64 px")
    assert content["bytes"] == sum(f.stat().st_size for f in path.rglob("*") if f.is_file())
