"""Digests: BLAKE2b of bytes and texts as hexadecimal digits."""

import hashlib
from pathlib import Path

__all__ = ["digest", "digest_of_file"]


def digest(*parts: bytes | memoryview | str, size: int = 16) -> str:
    """BLAKE2b of the concatenated parts as 2 * `size` hexadecimal digits; texts as UTF-8.

    Undecodable bytes in the names of files are hashed as they are.
    """
    state = hashlib.blake2b(digest_size=size)
    for part in parts:
        data = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        state.update(data)
    return state.hexdigest()


def digest_of_file(path: Path, size: int = 16) -> str:
    """BLAKE2b of a file's bytes as 2 * `size` hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=size)).hexdigest()
