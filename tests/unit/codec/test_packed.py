"""Files of compressed images: what they keep, and what no file may do to who reads it."""

import gzip
import json
import random
import resource
import zlib

import pytest
import torch

from imrep.codec import packed
from imrep.edit.operations.compress import compress
from imrep.edit.operations.decode import decode
from imrep.errors import BadFile, BadParameter


@pytest.fixture
def small():
    return compress(torch.rand(1, 3, 12, 19)).adding(
        {"depth": "16", "name": "ü"}, {"alpha": torch.arange(228).view(12, 19).to(torch.uint16)}
    )


def _changed(packed_image, change):
    """The file's bytes with another header, after `change(entries)`."""
    raw = gzip.decompress(packed_image.data)
    length = int.from_bytes(raw[:8], "little")
    entries = json.loads(raw[8 : 8 + length])
    text = json.dumps(change(entries) or entries).encode()
    return gzip.compress(len(text).to_bytes(8, "little") + text + raw[8 + length :])


def _metadata(**words):
    return lambda entries: entries["__metadata__"].update(words)


def test_tensors_and_extra_data_are_written_and_read_back(small, tmp_path):
    packed.write(small, tmp_path / "new" / "a.imr")
    result = packed.read(tmp_path / "new" / "a.imr")
    assert result.parameters == small.parameters and result.extra == small.extra
    assert torch.equal(result.tensors["alpha"], small.tensors["alpha"])
    assert torch.equal(decode(result), decode(small))
    assert result.adding({"more": ""}, {}).extra == {**small.extra, "more": ""}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.imr"]


def test_other_programs_gzip_is_read(small):
    again = gzip.compress(gzip.decompress(small.data), 9)
    assert torch.equal(decode(packed.read(again)), decode(small))


def test_names_and_types_that_will_not_do_are_refused(small, tmp_path):
    with pytest.raises(BadParameter, match=r"needs a name ending in .imr, got 'a.png'"):
        packed.write(small, tmp_path / "a.png")
    with pytest.raises(BadParameter, match="a packed mask needs one of"):
        small.adding({}, {"mask": torch.zeros(3, dtype=torch.bool)})


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ({"version": "2"}, "needs version 1, got '2'"),
        ({"format": "other"}, "needs format imrep, got 'other'"),
        ({"method": "jpeg"}, "supported coding parameters"),
        ({"quality": "nan"}, "supported coding parameters"),
        ({"quality": "high"}, "coding parameters"),
        ({"channels": "2"}, "supported coding parameters"),
        ({"size": "12"}, "coding parameters"),
        ({"size": "0 19"}, "pixels, got 0×19"),
        ({"size": "100000 100000"}, "pixels, got 100000×100000"),
        ({"size": "8 8"}, "numbers of"),
        ({"size": "64 64"}, "decode needs as many numbers"),
        ({"quality": 3}, "metadata of its image"),
    ],
)
def test_headers_that_do_not_fit_are_refused(small, words, reason):
    with pytest.raises(BadFile, match=reason):
        decode(packed.read(_changed(small, _metadata(**words))))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda e: e.pop("gaps") and None, "gaps or overlaps|numbers of gaps"),
        (lambda e: e["gaps"].update(dtype="I16"), "gaps or overlaps"),
        (lambda e: e["gaps"].update(dtype="Q9"), "types and sizes"),
        (lambda e: e["gaps"].update(shape=[-1]), "gaps or overlaps"),
        (lambda e: e["gaps"].update(shape=["a"]), "types and sizes"),
        (lambda e: e["gaps"].update(data_offsets=[0, 1, 2]), "types and sizes"),
        (lambda e: e.update(other=e.pop("extra.alpha")), "known names, got 'other'"),
        (lambda e: [1], "metadata of its image"),
        (lambda e: {"__metadata__": {}}, "format imrep, got None"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(small, change, reason):
    with pytest.raises(BadFile, match=reason):
        packed.read(_changed(small, change))


def test_bombs_are_not_inflated(small):
    """A thousand times the file's size, claimed by a stream or by an added tensor."""

    def long(name):
        def change(entries):
            start = entries[name]["data_offsets"][0]
            last = {"dtype": "U8", "shape": [10**9], "data_offsets": [start, start + 10**9]}
            return {**{k: v for k, v in entries.items() if k != name}, name: last}

        return change

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name in ("gaps", "values", "extra.alpha"):
        with pytest.raises(BadFile, match=r"an \.imr file needs"):
            packed.read(_changed(small, long(name)))
    zeros = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(zeros.compress(bytes(1 << 20)) for _ in range(200)) + zeros.flush()
    with pytest.raises(BadFile, match="header of 2 to"):
        packed.read(bomb)
    with pytest.raises(BadFile, match="to end with its last tensor, got more"):
        packed.read(small.data + bomb)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kilobytes


@pytest.mark.parametrize("data", [b"", b"\x1f\x8b", b"no gzip at all", gzip.compress(b"[" * 10**5)])
def test_other_files_are_refused(data):
    with pytest.raises(BadFile):
        packed.read(data)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "none.imr", tmp_path):
        with pytest.raises(BadFile, match="cannot be read"):
            packed.read(path)


def test_deep_headers_are_refused():
    text = b"[" * 10**6
    with pytest.raises(BadFile, match="header in JSON"):
        packed.read(gzip.compress(len(text).to_bytes(8, "little") + text))


def test_numbers_that_are_none_are_refused(small):
    packed_image = small.adding({}, {"depth": torch.tensor([0.0, float("nan")])})
    with pytest.raises(BadFile, match=r"got NaN or infinity in extra\.depth"):
        packed.read(packed_image.data)


def test_truncated_files_are_refused(small):
    for end in range(0, len(small.data), 7):
        with pytest.raises(BadFile):
            packed.read(small.data[:end])


@pytest.mark.parametrize("inside", [False, True], ids=["deflated", "inflated"])
@pytest.mark.parametrize("method", ["dct", "laplacian"])
def test_a_mutated_file_gives_an_image_or_is_refused(method, inside):
    """Inside the deflated bytes checksums find it; behind them only what is checked does."""
    chance = random.Random(0)
    packed_image = compress(torch.rand(1, 3, 10, 13), method=method, quality=98)
    complete, refused = gzip.decompress(packed_image.data) if inside else packed_image.data, 0
    for _ in range(600):
        mutated = bytearray(complete)
        for _ in range(chance.choice([1, 1, 3])):
            mutated[chance.randrange(len(mutated))] = chance.choice([0, 255, chance.randrange(256)])
        try:
            image = decode(packed.read(gzip.compress(mutated, 1) if inside else bytes(mutated)))
        except BadFile:
            refused += 1
        else:
            assert image.min() >= 0 and image.max() <= 1 and image.numel() < 10**6
    assert 0 < refused < 600
