"""The near-duplicates of decoded images, searched for once and stored in the cache."""

from dataclasses import asdict

import numpy as np

from imrep.duplicates import search
from imrep.duplicates.search import Duplicates, Edge
from imrep.embedding import cache
from imrep.embedding.decoded_images import Decoded
from imrep.types import Progress


def find(decoded: Decoded, progress: Progress) -> Duplicates:
    """The near-duplicates among the images, from the cache where it has them."""
    path = cache.folder("copies", cache.key(decoded.key, search.SEARCH)) / "copies.json"
    stored = cache.read_json(path)
    if stored is None:
        result = search.find(
            decoded.squares,
            decoded.digests,
            lambda share: progress("looking for near-duplicates", round(100 * share), 100),
        )
        stored = {
            "edges": [asdict(edge) for edge in result.edges],
            "component": result.component.tolist(),
            "flat": result.flat.tolist(),
        }
        cache.write_json(path, stored)
    return Duplicates(
        edges=tuple(Edge(**(edge | {"shift": tuple(edge["shift"])})) for edge in stored["edges"]),
        component=np.array(stored["component"], np.int64),
        flat=np.array(stored["flat"], bool),
    )
