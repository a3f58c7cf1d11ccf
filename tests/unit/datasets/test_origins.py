"""Lists on standard input."""

import io
import os
import sys
from pathlib import Path

import pytest
from tar_files import png

from imrep import datasets


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Files with awkward names in the current folder."""
    monkeypatch.chdir(tmp_path)
    names = ["a.png", " b.png", "c.png ", "new\nline.png", os.fsdecode(b"caf\xe9.png")]
    for name in names:
        Path(name).write_bytes(png())
    return names


def paths(monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    dataset = datasets.find("-")
    assert not any(item.refused for item in dataset.items)
    return sorted(item.raw for item in dataset.items)


def test_names_that_end_in_null_bytes_are_taken_as_they_are(files, monkeypatch):
    data = b"".join(os.fsencode(name) + b"\0" for name in files)
    assert paths(monkeypatch, data) == sorted(files)
    assert paths(monkeypatch, data.removesuffix(b"\0")) == sorted(files)


def test_lines_of_every_system(files, monkeypatch):
    assert paths(monkeypatch, b"a.png\n b.png\nc.png \n") == [" b.png", "a.png", "c.png "]
    assert paths(monkeypatch, b"\xef\xbb\xbfa.png\r\n\r\n  a.png  \r\n") == ["a.png"]
    assert paths(monkeypatch, b"caf\xe9.png") == [os.fsdecode(b"caf\xe9.png")]
    assert paths(monkeypatch, "a.png\r\n".encode("utf-16")) == ["a.png"]
