"""Vectors of texts at length one, each computed once: the cache keeps them."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from imrep.base import Representation
from imrep.base.learned import Bilingual
from imrep.embedding import cache, image_vectors
from imrep.embedding.keyed_vectors import KeyedVectors
from imrep.errors import BadParameter
from imrep.io.digests import digest
from imrep.registry import catalog
from imrep.types import Progress

_BATCH = 64  # texts


def bilingual(rep: Representation, caller: str) -> "Bilingual":
    """The representation, if it embeds text.

    Raises:
        BadParameter: It does not.
    """
    if isinstance(rep, Bilingual):
        return rep
    names = ", ".join(name for name in catalog.names() if catalog.card(name).text)
    raise BadParameter(
        f"{caller} needs a representation that embeds text, got {rep.spec}. "
        f"Take one that does: {names or 'clip'}."
    )


def embed(
    rep: Bilingual, texts: Sequence[str], progress: Progress | None = None
) -> NDArray[np.float32]:
    """Vectors of texts at length one, (n, d), from the cache where it has them.

    Args:
        rep: What embeds them.
        texts: In any order; one that is repeated is embedded once.
        progress: Called with a phrase, the number done and the total.
    """
    entry = cache.folder("texts", cache.key(rep.fingerprint))
    keys = [digest(text, size=10) for text in texts]
    with cache.held(entry):
        store = KeyedVectors(entry)
        entries = store.select(keys)
        missing = {k: t for k, t in zip(keys, texts, strict=True) if k not in entries}
        pending = list(missing.items())
        for start in range(0, len(pending), _BATCH):
            part = pending[start : start + _BATCH]
            with torch.no_grad():
                vectors = rep.embed_text([text for _, text in part]).float().cpu().numpy()
            store.append([key for key, _ in part], vectors)
            entries |= {key: row for (key, _), row in zip(part, vectors, strict=True)}
            if progress:
                progress("embedding texts", start + len(part), len(pending))
    return image_vectors.unit(np.stack([np.asarray(entries[key]) for key in keys]))
