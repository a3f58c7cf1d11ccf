"""A table of vectors on disk (Lance) that is kept up to date with a folder of images.

`open` reads one: facts, rows, vectors. `imrep embed DATA SPEC -o photos.lance` writes it.
"""

from imrep.store.table import Facts, Store, open

__all__ = ["Facts", "Store", "open"]
