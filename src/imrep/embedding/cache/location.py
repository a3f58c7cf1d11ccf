"""Where the cache lies, and the names of its entries."""

import json
import os
from pathlib import Path
from typing import Any

from imrep.io.digests import digest

__all__ = ["KINDS", "LAST_USED", "OWN", "key", "root"]

KINDS = {
    "squares": "decoded images",
    "codes": "vectors, and codes before pooling",
    "refits": "vectors by codebooks fitted inside folds",
    "trained": "vectors by weights trained inside folds",
    "texts": "vectors of texts",
    "scores": "predictions and learning curves",
    "copies": "near-duplicates",
    "reconstructions": "least-squares reconstructions",
    "perturbed": "vectors of perturbed images",
    "memory": "peak memory of encoding",
    "images": "vectors of images, of search and classify",
    "captions": "captions, of evaluate",
    "maps": "positions of images on a plane, and how faithful they are",
    "stores": "vectors of stores, for search",
    "vega": "the library that draws the plots of a report",
}
LAST_USED = "last-used"  # the file that marks an entry; its time of modification says when
OWN = ".imrep-cache"  # locks, leases and deleted entries: all else in the folder is entries


def root() -> Path:
    """The cache folder; it need not exist yet."""
    requested = os.environ.get("IMREP_CACHE")
    if requested:
        return Path(requested).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "imrep"


def key(*parts: Any) -> str:
    """Twenty hex digits of anything that JSON can write."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return digest(text, size=10)
