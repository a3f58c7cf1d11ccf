"""K-means beside OpenCV's and scikit-learn's, from the same centres for as many rounds.

python benchmarks/segment_speed.py [--rounds N] [--only "k=6"] [--json FILE]
"""

import cv2
import numpy as np
import skimage.data
import torch
from side_by_side import Benchmark
from sklearn.cluster import KMeans

from imrep.ops.kmeans import kmeans

ROUNDS = 10


def main() -> None:
    benchmark = Benchmark("segment")
    cv2.setNumThreads(1)
    photo = skimage.data.astronaut().astype(np.float32) / 255
    rows = np.ascontiguousarray(cv2.cvtColor(photo, cv2.COLOR_RGB2Lab).reshape(-1, 3))
    clusters(benchmark, "k=6, 10 rounds, 512^2", rows, 6, {"OpenCV": 0.5})
    clusters(benchmark, "k=32, 10 rounds, 512^2", rows, 32, {"OpenCV": 0.5})
    benchmark.finish()


def clusters(benchmark, work, rows, count, floors):
    nearest = kmeans(torch.from_numpy(rows), count, iterations=1)[1].numpy()
    labels = nearest.astype(np.int32)[:, None]
    start = torch.from_numpy(np.stack([rows[nearest == k].mean(0) for k in range(count)]))

    def ours():
        centres, belong = kmeans(torch.from_numpy(rows), count, start=start, iterations=ROUNDS)
        return centres[belong].numpy()

    def opencv():
        stop = (cv2.TERM_CRITERIA_MAX_ITER, ROUNDS, 0)
        flags = cv2.KMEANS_USE_INITIAL_LABELS
        _, belong, centres = cv2.kmeans(rows, count, labels.copy(), stop, 1, flags)
        return centres[belong[:, 0]]

    def sklearn():
        peer = KMeans(count, init=start.numpy(), n_init=1, max_iter=ROUNDS, tol=0)
        peer.fit(rows)
        return peer.cluster_centers_[peer.labels_]

    def agree(mine, theirs):  # how far pixels are from their centres: rounds are counted otherwise
        left = [float(((rows - centres) ** 2).sum()) for centres in (mine, theirs)]
        np.testing.assert_allclose(left[0], left[1], rtol=0.03)

    peers = {"OpenCV": opencv, "scikit-learn": sklearn}
    floors = {peer: (floor, floor) for peer, floor in floors.items()}
    benchmark.run(work, ours, peers=peers, agree=agree, floors=floors, inputs=rows.nbytes)


if __name__ == "__main__":
    main()
