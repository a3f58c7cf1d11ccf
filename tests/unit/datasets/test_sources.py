"""Bytes from files and members of archives, and the reasons why there are none."""

import os
import zipfile

import pytest

from imrep.datasets import sources
from imrep.datasets.sources import File, Member, Refused
from imrep.errors import BadData, BadFile


def packed(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path.stat().st_mtime_ns


def test_the_stamp_of_a_file_changes_with_its_bytes(tmp_path):
    file = File(tmp_path / "a")
    assert file.stamp is None
    (tmp_path / "a").write_bytes(b"12")
    os.utime(tmp_path / "a", ns=(5, 7))
    assert file.stamp == (2, 7) and file.read() == b"12"
    (tmp_path / "a").write_bytes(b"123")
    os.utime(tmp_path / "a", ns=(5, 7))
    assert file.stamp == (3, 7)


@pytest.mark.parametrize("what", ["nothing", "a folder", "an empty file"])
def test_a_file_without_bytes_is_refused_by_name(tmp_path, what):
    if what == "a folder":
        (tmp_path / "a.png").mkdir()
    if what == "an empty file":
        (tmp_path / "a.png").touch()
    with pytest.raises(BadFile, match=r"a\.png"):
        File(tmp_path / "a.png").read()


def test_a_member_is_read_completely_or_from_its_start(tmp_path):
    stamp = packed(tmp_path / "z.zip", a=b"0123456789")
    member = Member(tmp_path / "z.zip", stamp, "a")
    assert member.read() == b"0123456789" and member.start(4) == b"0123"
    assert member.start(99) == b"0123456789"


def test_a_member_that_is_not_there_is_refused_and_starts_with_nothing(tmp_path):
    stamp = packed(tmp_path / "z.zip", a=b"0")
    member = Member(tmp_path / "z.zip", stamp, "d/b.png")
    assert member.start(4) == b""
    with pytest.raises(BadFile, match=r"^b\.png cannot be unpacked .*\. Pack it again\.$"):
        member.read()


def test_an_archive_written_anew_is_opened_anew(tmp_path):
    first = packed(tmp_path / "z.zip", a=b"old")
    assert Member(tmp_path / "z.zip", first, "a").read() == b"old"
    packed(tmp_path / "z.zip", a=b"newer")
    assert Member(tmp_path / "z.zip", first + 1, "a").read() == b"newer"


def test_a_member_is_refused_for_size_and_ratio_together(tmp_path, monkeypatch):
    stamp = packed(tmp_path / "z.zip", dense=os.urandom(3000), flat=bytes(3000), huge=bytes(9000))
    members = {name: Member(tmp_path / "z.zip", stamp, name) for name in ("dense", "flat", "huge")}
    monkeypatch.setattr(sources, "_BOMB", (2000, 10))
    monkeypatch.setattr(sources, "_MAX_MEMBER_BYTES", 8000)
    assert len(members["dense"].read()) == 3000  # large, but not packed by much
    with pytest.raises(BadFile, match=r"flat .* got 3,000 bytes packed \d+-fold\. Unpack it your"):
        members["flat"].read()
    monkeypatch.setattr(sources, "_BOMB", (20_000, 10))
    assert len(members["flat"].read()) == 3000  # packed by much, but small
    with pytest.raises(BadFile, match=r"huge .* got 9,000 bytes"):
        members["huge"].read()


@pytest.mark.parametrize("data", [None, b"", b"PK\x03\x04 and no more"])
def test_a_file_that_is_no_archive_is_named(tmp_path, data):
    if data is not None:
        (tmp_path / "z.zip").write_bytes(data)
    with pytest.raises(BadData, match=r"^z\.zip cannot be read as zip \(.+\)\. Pack it again\.$"):
        sources.opened(tmp_path / "z.zip", 1)


def test_a_refusal_is_stamped_by_its_reason():
    assert Refused("a").stamp != Refused("b").stamp
    with pytest.raises(BadFile, match=r"^a$"):
        Refused("a").read()
