"""One digest for files, texts and tensors."""

import hashlib
import os

import torch

from imrep.io.digests import digest, digest_of_file
from imrep.io.tensor_digest import parts


def test_parts_are_joined_and_the_size_counts_bytes():
    assert digest(b"a", "b", memoryview(b"c")) == digest(b"abc") != digest(b"xyz")
    assert len(digest(b"")) == 32 and len(digest(b"", size=6)) == 12
    assert digest(b"abc", size=8) == hashlib.blake2b(b"abc", digest_size=8).hexdigest()


def test_undecodable_bytes_of_a_name_are_hashed_as_they_are():
    assert digest(os.fsdecode(b"caf\xe9.png")) == digest(b"caf\xe9.png")


def test_tensors_count_by_name_type_shape_and_numbers():
    state = {"a": torch.zeros(2, 3), "b": torch.ones(4)}
    same = digest(*parts(dict(reversed(state.items()))))
    assert digest(*parts(state)) == same
    for other in ({"a": torch.zeros(3, 2)}, {"a": torch.zeros(2, 3).double()}, {"c": state["a"]}):
        assert digest(*parts(state | other)) != same


def test_a_file_is_read_in_pieces(tmp_path):
    (tmp_path / "x").write_bytes(bytes(3_000_000))
    assert digest_of_file(tmp_path / "x") == digest(bytes(3_000_000))
