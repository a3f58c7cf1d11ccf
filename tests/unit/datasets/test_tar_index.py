"""The index of a tar archive, and archives that are damaged or made to do harm."""

import contextlib
import random
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tar_files import gray, link, png, tar

from imrep.datasets import tar_index
from imrep.datasets.sources import File, Refused
from imrep.datasets.tar_index import TarMember
from imrep.errors import BadData, BadFile


def index(path):
    file = File(path)
    return tar_index.read(file, file.stamp)


def test_members_are_read_at_their_offset(tmp_path):
    read = index(tar(tmp_path / "a.tar", {f"d/{i}.png": png(i) for i in range(5)}))
    assert {name: gray(member) for name, member in read.members.items()} == {
        f"d/{i}.png": i for i in range(5)
    }
    assert not read.damage and not read.repeated
    assert read.members["d/1.png"].start(4) == b"\x89PNG"


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_foreign_names_in_every_form(tmp_path, form):
    long = "x" * 90 + "/" + "y" * 90 + ".png"
    read = index(tar(tmp_path / "a.tar", {long: png(1), "café.png": png(2)}, format=form))
    assert list(read.members) == [long, "café.png"]


def test_names_lead_nowhere_and_the_last_of_a_name_counts(tmp_path):
    files = [("../../a.png", png(1)), ("/etc/b.png", png(2)), ("./c.png", png(3)),
             ("c.png", png(4)), ("d\\e.png", png(5))]  # fmt: skip
    read = index(tar(tmp_path / "a.tar", files))
    assert set(read.members) == {"a.png", "etc/b.png", "c.png", "d/e.png"}
    assert gray(read.members["c.png"]) == 4 and read.repeated == ("c.png",)


def test_a_name_that_is_no_utf8_is_read(tmp_path):
    path = tar(tmp_path / "a.tar", {"cafX.png": png(7)}, format=tarfile.USTAR_FORMAT)
    data = path.read_bytes()
    header = bytearray(data[:512].replace(b"cafX", b"caf\xe9"))
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    path.write_bytes(bytes(header) + data[512:])
    assert [gray(m) for m in index(path).members.values()] == [7]
    assert list(index(path).members) == ["caf\udce9.png"]


def test_links_lead_to_members(tmp_path):
    files = [("a/1.png", png(1)), ("a/2.png", link("a/2.png", "1.png")),
             ("b/3.png", link("b/3.png", "a/1.png", tarfile.LNKTYPE)),
             ("c.png", link("c.png", "/etc/passwd")), ("d.png", link("d.png", "e.png")),
             ("e.png", link("e.png", "d.png"))]  # fmt: skip
    members = index(tar(tmp_path / "a.tar", files)).members
    assert gray(members["a/2.png"]) == gray(members["b/3.png"]) == 1
    for name in ("c.png", "d.png", "e.png"):
        with pytest.raises(BadFile, match="does not exist: it is a link to"):
            members[name].read()


def test_devices_and_sparse_files_are_refused(tmp_path):
    pipe = tarfile.TarInfo("p.png")
    pipe.type = tarfile.FIFOTYPE
    path = tar(tmp_path / "a.tar", [("p.png", pipe), ("1.png", png(1))])
    with pytest.raises(BadFile, match="got a device or a pipe"):
        index(path).members["p.png"].read()
    sparse = tar(tmp_path / "s.tar", {"1.png": png(1)}, format=tarfile.PAX_FORMAT,
                 pax_headers={"GNU.sparse.major": "0", "GNU.sparse.size": "99",
                              "GNU.sparse.map": "0,1"})  # fmt: skip
    with pytest.raises(BadFile, match="stored sparse"):
        index(sparse).members["1.png"].read()


@pytest.mark.parametrize("cut", [1, 100, 600, 1000, 1100])
def test_a_truncated_archive_keeps_whole_members_and_says_so(tmp_path, cut):
    whole = tar(tmp_path / "a.tar", {"1.png": png(1), "2.png": png(2)})
    size = 2 * (512 + 512)
    whole.write_bytes(whole.read_bytes()[: size - cut])
    read = index(whole)
    assert gray(read.members["1.png"]) == 1
    if cut < 512:  # within its bytes: padding alone harms nothing
        whole_bytes = len(png(2)) <= 512 - cut
        assert isinstance(read.members["2.png"], TarMember if whole_bytes else Refused)
    assert read.damage


def test_an_archive_without_its_end_is_whole(tmp_path):
    path = tar(tmp_path / "a.tar", {"1.png": png(1), "2.png": png(2)})
    path.write_bytes(path.read_bytes()[:2048])  # as writers of streams leave it
    assert len(index(path).members) == 2 and not index(path).damage


def test_joined_archives_are_read_to_their_end(tmp_path):
    first = tar(tmp_path / "a.tar", {"1.png": png(1)}).read_bytes()
    path = tar(tmp_path / "b.tar", {"2.png": png(2)})
    path.write_bytes(first + path.read_bytes())
    assert [gray(m) for m in index(path).members.values()] == [1, 2]


def test_a_damaged_header_in_the_middle_is_said(tmp_path):
    path = tar(tmp_path / "a.tar", {f"{i}.png": png(i) for i in range(4)})
    data = bytearray(path.read_bytes())
    data[2048 + 100] ^= 0xFF
    path.write_bytes(data)
    read = index(path)
    assert list(read.members) == ["0.png", "1.png"] and "at byte 2,048" in read.damage


def test_a_huge_header_is_not_read(tmp_path):
    info = tarfile.TarInfo("././@PaxHeader")
    info.type, info.size = tarfile.XHDTYPE, 2**33
    path = tmp_path / "a.tar"
    path.write_bytes(
        tar(tmp_path / "b.tar", {"1.png": png(1)}).read_bytes()[:1024]
        + info.tobuf(tarfile.GNU_FORMAT)
        + bytes(4096)
    )
    read = index(path)
    assert gray(read.members["1.png"]) == 1 and "a header of 8,589,934,592 bytes" in read.damage


@pytest.mark.parametrize("size", [2**40, -1024])
def test_a_wrong_size_harms_nothing(tmp_path, size):
    info = tarfile.TarInfo("2.png")
    info.size = size
    path = tar(tmp_path / "a.tar", {"1.png": png(1)})
    header = info.tobuf(tarfile.GNU_FORMAT)
    path.write_bytes(path.read_bytes()[:1024] + header + bytes(2048))
    read = index(path)
    assert gray(read.members["1.png"]) == 1 and read.damage
    assert not isinstance(read.members.get("2.png"), TarMember)


@pytest.mark.parametrize("mode", ["gz", "bz2", "xz"])
def test_compressed_archives_are_refused(tmp_path, mode):
    path = tmp_path / "a.tar"
    with tarfile.open(path, f"w:{mode}"):
        pass
    with pytest.raises(BadData, match=r"a\.tar needs to be a plain \.tar.*gunzip"):
        index(path)


@pytest.mark.parametrize("content", [b"", b"no archive", png(1) * 40])
def test_what_is_no_archive_is_refused(tmp_path, content):
    (tmp_path / "a.tar").write_bytes(content)
    with pytest.raises(BadData, match=r"a\.tar (cannot be read as a tar archive|is empty)"):
        index(tmp_path / "a.tar")


def test_an_archive_that_changed_is_not_read_at_old_offsets(tmp_path):
    path = tar(tmp_path / "a.tar", {"1.png": png(1)})
    member = index(path).members["1.png"]
    tar(path, {"long name first.txt": b"x" * 600, "1.png": png(2)})
    with pytest.raises(BadFile, match="has changed since"):
        member.read()
    assert gray(index(path).members["1.png"]) == 2
    path.unlink()
    with pytest.raises(BadFile, match=r"a\.tar"):
        member.read()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 12))
def test_flipped_bytes_end_in_no_other_error(tmp_path_factory, seed, flips):
    path = tmp_path_factory.getbasetemp() / f"{seed}.tar"
    data = bytearray(tar(path, {f"{i}.png": png(i) for i in range(3)}).read_bytes()[:3072])
    rng = random.Random(seed)
    for _ in range(flips):
        data[rng.randrange(len(data))] = rng.randrange(256)
    path.write_bytes(data)
    try:
        read = index(path)
    except BadData:
        return
    for member in read.members.values():
        with contextlib.suppress(BadFile):
            member.read()
