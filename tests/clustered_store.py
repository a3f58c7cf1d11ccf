"""A store of vectors around some centres, written without images."""

import numpy as np

DIM = 16


class ClusteredStore:
    """Rows "0.png", "1.png" … in a store, appended by and by."""

    def __init__(self, path):
        self.path, self.rng = path, np.random.default_rng(0)
        self.centres = self.rng.standard_normal((200, DIM))
        self.count = 0

    def append(self, count):
        """Commit `count` further rows; the opened store."""
        from imrep import store
        from imrep.store import commits, layout

        nearest = self.centres[self.rng.integers(0, len(self.centres), count)]
        vectors = nearest + 0.2 * self.rng.standard_normal((count, DIM))
        rows = (
            dict(zip(layout.COLUMNS, (f"{i}.png", f"d{i}", None, 4, 4), strict=True))
            | {"vector": vector, "deleted": False, "stamp": "1"}
            for i, vector in enumerate(vectors, self.count)
        )
        with commits.Writer(self.path) as writer:
            if not writer.exists:
                facts = {"spec": "hog", "fingerprint": "0", "size": "64", "imrep": "0", "data": ""}
                writer.create(DIM, "float32", facts)
            writer.append(commits.table(rows, layout.schema(DIM, "float32", {})))
        self.count += count
        return store.open(self.path)
