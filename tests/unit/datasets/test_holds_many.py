"""Which arguments may be several images."""

import pytest

from imrep import datasets


@pytest.mark.parametrize(
    ("data", "several"),
    [
        ("-", True), ("d", True), (".", True), ("*.png", True), ("d/[ab].png", True),
        ("t.csv", True), ("t.PARQUET", True), ("z.zip", True), ("z.tar.gz", True),
        ("a.png", False), ("a[1].png", False), ("gone.png", False), ("name", False),
        ("a.npy", False),
    ],
)  # fmt: skip
def test_a_folder_a_pattern_a_table_an_archive_and_a_list(tmp_path, monkeypatch, data, several):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d").mkdir()
    for name in ("a.png", "a[1].png"):
        (tmp_path / name).touch()
    assert datasets.holds_many(data) is several
