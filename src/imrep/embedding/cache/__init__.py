"""The cache of `compare`: what was computed once is read back, also after a run was killed.

Everything lies under `IMREP_CACHE` (default: `imrep` in the user's cache folder). An entry is a
folder KIND/DIGEST, its digest that of all its content depends on: nothing in it is ever out of
date, and any entry may be deleted, since the next run computes it anew. A file is written under
another name and renamed, so that a name which exists is complete; arrays that grow keep a log of
the rows they hold. Entries that no run has used for long are deleted above a limit (`pruning`);
those that a running process uses are not (`leases`).
"""

from imrep.embedding.cache.arrays import (
    GrowingArray,
    Log,
    growing,
    held,
    read_arrays,
    read_json,
    write_arrays,
    write_json,
)
from imrep.embedding.cache.leases import folder
from imrep.embedding.cache.location import key, root
from imrep.embedding.cache.pruning import pruned

__all__ = [
    "GrowingArray",
    "Log",
    "folder",
    "growing",
    "held",
    "key",
    "pruned",
    "read_arrays",
    "read_json",
    "root",
    "write_arrays",
    "write_json",
]
