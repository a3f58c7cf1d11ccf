"""Vectors of texts, each computed once and stored in the cache."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from imrep.embedding import cache
from imrep.io.digests import digest
from imrep.types import Progress, Vectors

_BATCH = 1024  # texts whose vectors become one file


class ReadsText(Protocol):
    """What gives texts vectors, such as `Bilingual`."""

    @property
    def fingerprint(self) -> str:
        """Of parameters and weights."""

    def embed_text(self, texts: Sequence[str]) -> Vectors:
        """(len(texts), dim)."""


def embed(
    rep: ReadsText, texts: Sequence[str], progress: Progress | None = None
) -> NDArray[np.float32]:
    """The vectors of texts, (len(texts), dim), from the cache where it has them.

    Texts that it has not are computed in batches, each of which is stored before the next.

    Args:
        rep: Gives them.
        texts: With words in each.
        progress: Called after each batch.

    Raises:
        BadParameter: There is none, or one is no text or has no word.
    """
    digests = [digest(text, size=16) for text in texts] if all(map(_is_text, texts)) else []
    if not digests:  # refused in its own words
        return _computed(rep, texts)
    folder = cache.folder("texts", cache.key(rep.fingerprint))
    stored = _stored(folder)
    missing = {key: text for key, text in zip(digests, texts, strict=True) if key not in stored}
    done = 0
    items = [*missing.items()]
    for batch in (items[i : i + _BATCH] for i in range(0, len(items), _BATCH)):
        keys, own = zip(*batch, strict=True)
        vectors = _computed(rep, own)
        path = folder / f"{digest(*keys, size=10)}.npz"
        cache.write_arrays(path, keys=np.array(keys), vectors=vectors)
        stored |= dict(zip(keys, vectors, strict=True))
        done += len(batch)
        if progress:
            progress("embedding texts", done, len(missing))
    return np.stack([stored[key] for key in digests])


def _is_text(text: object) -> bool:
    return isinstance(text, str) and bool(text.strip())


def _stored(folder: Path) -> dict[str, NDArray[np.float32]]:
    vectors: dict[str, NDArray[np.float32]] = {}
    for path in sorted(folder.glob("*.npz")):
        arrays = cache.read_arrays(path)
        if arrays is not None:
            vectors |= dict(zip(arrays["keys"].tolist(), arrays["vectors"], strict=True))
    return vectors


def _computed(rep: ReadsText, texts: Sequence[str]) -> NDArray[np.float32]:
    with torch.inference_mode():
        return rep.embed_text(texts).float().cpu().numpy()
