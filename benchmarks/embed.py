"""`embed` beside a loop of PIL, torchvision and DataLoader, and beside the limits of its own parts.

    python benchmarks/embed.py [--images 256] [--rounds 5] [--threads 1] [--only mobilenet]
                               [--compiled]

Networks of timm with the same random weights on both sides, on JPEGs of 500 × 375 pixels cut from
scikit-image's photographs, MobileNet on JPEGs of 12 megapixels too; each contestant in a process of
its own that lasts, so that rounds are interleaved and nothing is imported or compiled within them.
*decode* and *forward* are imrep's own parts alone, in the same rounds: the limit of a run on two
cores is the slower of them, on one their sum. Hand-made representations are measured against the
sum of decoding and encoding.

The loop does for a batch what thingsvision's extractor does (Pillow, `convert("RGB")`,
torchvision's Resize, CenterCrop, ToTensor and Normalize, a DataLoader, a pass, `torch.cat`, NumPy)
without its forward hook, whose tensor it copies, and in inference mode in place of `no_grad`: it
takes no longer. thingsvision and clip-retrieval themselves do not install beside every version of
torch. With `--compiled`, networks in half precision are also compiled, as `--fast` does for some
thousand images.

The script asserts that the vectors are those of timm's network on the same squares, in half
precision to a cosine of 0.9995. `--memory 1000,20000` measures peak memory by numbers of images,
which are links to the same files.
"""

import argparse
import importlib.util
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

NETWORKS = {
    "mobilenet": ("cnn", "mobilenetv2_100", ",layer=penultimate"),
    "resnet18": ("cnn", "resnet18.a1_in1k", ",layer=penultimate"),
    "vit-b/32": ("vit", "vit_base_patch32_224.augreg_in21k", ""),
}
WORKS = {name: (name, (500, 375)) for name in NETWORKS} | {
    "mobilenet 12 MP": ("mobilenet", (4000, 3000))
}
HAND_MADE = ("hog", "dct", "scattering")
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket", "immunohistochemistry", "retina")
ASKED = {"mobilenet": 1.3, "resnet18": 1.3, "vit-b/32": None, "mobilenet 12 MP": 3.0}
ASKED_FAST = 2.0
ASKED_LIMIT, ASKED_OVERHEAD, ASKED_MEMORY = 0.9, 1.15, 1.1
MIN_COSINE, MAX_ERROR = 0.9995, 1e-3
NETWORK_COLUMNS = (
    *("processor ms/image", "loop", "ours", "--fast", "loop ÷ ours", "loop ÷ --fast"),
    *("decode + forward (fast)", "sum ÷ run (fast), processor", "slower ÷ run (fast), wall"),
    *("cosine", "compiled (forward), loop ÷ compiled"),
)
HAND_MADE_COLUMNS = ("processor ms/image", "embed", "decode", "encode", "embed ÷ sum")

COMMON = """
import json, os, resource, sys, time, warnings
warnings.simplefilter("ignore")
import numpy as np, torch
from pathlib import Path
facts = json.loads(sys.argv[1])
torch.set_num_threads(facts["threads"])
paths = [str(path) for path in sorted(Path(facts["folder"]).glob("*.jpg"))]
def spent():
    own, others = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime
def serve(works):
    warm = set()
    for line in sys.stdin:
        name = line.strip()
        if name not in warm:
            works[name](paths[:4])
            warm.add(name)
        wall, cpu = time.perf_counter(), spent()
        result = works[name](paths)
        wall, cpu = time.perf_counter() - wall, spent() - cpu
        if result is not None:
            np.save(facts["out"], result)
        each = {"wall": 1e3 * wall / len(paths), "cpu": 1e3 * cpu / len(paths)}
        print(json.dumps(each), flush=True)
"""
OURS = """
import imrep
from imrep import datasets, images
from imrep.embedding import compiling, engine, half_precision, vector_file
from imrep.embedding.batching import Batch
from imrep.ops import parallel
rep = imrep.get(facts["spec"])
size = rep.canvas or 64
reading = rep.framed(images.DEFAULT_READING)
settings = vector_file.Settings(size=size, threads=facts["threads"], reading=reading)
items = datasets.find(paths).items
fast = half_precision.choose(rep, items, settings)[0] if facts["network"] else rep
def embed(which):
    def run(paths):
        return imrep.embed(paths, which, threads=facts["threads"]).vectors
    return run
def loaded(paths):
    return images.load_squares(datasets.find(paths).items, size, threads=facts["threads"],
                               **reading.canvas_keywords)
def decode(paths):
    for _ in loaded(paths):
        pass
squares = [square for _, square, _ in loaded(paths)]
compiled = None
if facts.get("compiled") and fast is not rep:
    length = compiling._length(settings)
    first = images.batch(np.stack(squares[:length]))
    with torch.no_grad(), parallel.one_thread(1):
        compiled = engine.vectors(fast, compiling.compile_for(fast, length, first))
def functions(which, *_):
    return compiled if which is fast and compiling.used else engine.vectors(which)
compiling.vectors, compiling.used = functions, False
def forward(which):
    def run(paths):
        parts = (Batch([*range(i, min(i + 64, len(paths)))], squares[i : min(i + 64, len(paths))])
                 for i in range(0, len(paths), 64))
        with parallel.one_thread(facts["threads"]):
            for _ in engine.encode(functions(which), parts, "cpu"):
                pass
    return run
def with_compiled(work):
    def run(paths):
        compiling.used = True
        try:
            return work(paths)
        finally:
            compiling.used = False
    return run
np.save(facts["squares"], np.stack(squares))
print(json.dumps({"half": fast is not rep, "compiled": compiled is not None}), flush=True)
serve({"compiled": with_compiled(embed(fast)), "forward compiled": with_compiled(forward(fast)),
       "ours": embed(rep), "fast": embed(fast), "decode": decode,
       "forward": forward(rep), "forward fast": forward(fast)})
"""
NETWORK = """
import timm
network = timm.create_model(facts["arch"], pretrained=False, num_classes=0).eval()
network.load_state_dict(torch.load(facts["weights"]), strict=False)
"""
LOOP = (
    NETWORK
    + """
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms
config = timm.data.resolve_data_config(network.pretrained_cfg)
prepare = transforms.Compose([
    transforms.Resize(round(224 / config["crop_pct"]), config["interpolation"] and
                      getattr(transforms.InterpolationMode, config["interpolation"].upper())),
    transforms.CenterCrop(224), transforms.ToTensor(),
    transforms.Normalize(config["mean"], config["std"]),
])
class Files(Dataset):
    def __init__(self, paths): self.paths = paths
    def __len__(self): return len(self.paths)
    def __getitem__(self, i): return prepare(Image.open(self.paths[i]).convert("RGB"))
def run(paths):
    workers = facts["threads"] if facts["threads"] > 1 else 0
    with torch.inference_mode():
        loader = DataLoader(Files(paths), 64, num_workers=workers)
        return torch.cat([network(batch) for batch in loader]).numpy()
def same(paths):
    squares = torch.from_numpy(np.load(facts["squares"])).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(config[k]).reshape(3, 1, 1) for k in ("mean", "std"))
    with torch.inference_mode():
        return torch.cat([network(b) for b in ((squares - mean) / std).split(32)]).numpy()
print(json.dumps({}), flush=True)
serve({"loop": run, "same": same})
"""
)
WEIGHTS = """
import sys, timm, torch
torch.manual_seed(0)
network = timm.create_model(sys.argv[1], pretrained=False, num_classes=0)
torch.save(network.state_dict(), sys.argv[2])
"""
MEMORY = """
import resource, sys
from pathlib import Path
from imrep import datasets, factory
from imrep.embedding import vector_file
items = datasets.find(sys.argv[1]).items
settings = vector_file.Settings(threads=int(sys.argv[4]))
vector_file.embed(items, factory.get(sys.argv[3]), Path(sys.argv[2]), settings)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


class Contestant:
    """A process that is asked to run once, and answers with the milliseconds an image."""

    def __init__(self, body, facts):
        environment = os.environ | {"OMP_NUM_THREADS": str(facts["threads"])}
        command = [sys.executable, "-W", "ignore", "-c", COMMON + body, json.dumps(facts)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self.facts = self._answer()

    def run(self, work):
        self.process.stdin.write(f"{work}\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("a contestant ended early")
        return json.loads(line)


def write_photographs(folder, count, size):
    """Crops of photographs, each at another position and scale."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    sources = [Image.fromarray(getattr(skimage.data, name)()) for name in PHOTOGRAPHS]
    for i in range(count):
        image = sources[i % len(sources)]
        scale = max(size[0] / image.width, size[1] / image.height) * rng.uniform(1, 1.6)
        image = image.resize((round(image.width * scale) + 1, round(image.height * scale) + 1))
        left = rng.integers(0, image.width - size[0] + 1)
        top = rng.integers(0, image.height - size[1] + 1)
        part = image.crop((left, top, left + size[0], top + size[1]))
        part.convert("RGB").save(folder / f"{i:05}.jpg", quality=90)


def rounds(contestants, works, number):
    """The median milliseconds an image of every work, in interleaved rounds whose order rotates."""
    times = {work: [] for work in works}
    for turn in range(number):
        for work in works[turn % len(works) :] + works[: turn % len(works)]:
            times[work].append(contestants[work].run(work))
    return {
        work: {key: statistics.median(row[key] for row in rows) for key in ("wall", "cpu")}
        for work, rows in times.items()
    }


def network(name, folder, options, temporary):
    """One line of the first table."""
    kind, arch, more = NETWORKS[WORKS[name][0]]
    weights = temporary / f"{arch}.pt"
    if not weights.exists():
        subprocess.run([sys.executable, "-W", "ignore", "-c", WEIGHTS, arch, weights], check=True)
    facts = {"folder": str(folder), "threads": options.threads, "arch": arch, "network": True}
    facts |= {"spec": f"{kind}:arch={arch},weights='{weights}'{more}", "weights": str(weights)}
    facts |= {"squares": str(temporary / "squares.npy")}
    ours = Contestant(
        OURS, facts | {"out": str(temporary / "ours.npy"), "compiled": options.compiled}
    )
    loop = Contestant(LOOP, facts | {"out": str(temporary / "loop.npy")})
    works = ["loop", "ours", "fast", "decode", "forward", "forward fast"]
    compiled = ["compiled", "forward compiled"] if ours.facts["compiled"] else []
    works += compiled
    contestants = dict.fromkeys(works, ours) | {"loop": loop}
    vectors = {}
    for work in ("ours", "fast", *compiled[:1]):
        ours.run(work)
        vectors[work] = np.load(temporary / "ours.npy")
    loop.run("same")
    reference = np.load(temporary / "loop.npy")
    error = np.abs(vectors["ours"] - reference).max() / np.abs(reference).max()
    assert error < MAX_ERROR, f"{name}: vectors differ by {error:.2g} of the greatest"
    cosine = 1.0
    for work in ("fast", *compiled[:1]):
        lengths = np.linalg.norm(vectors[work], axis=1) * np.linalg.norm(reference, axis=1)
        cosine = min(cosine, ((vectors[work] * reference).sum(1) / lengths).min())
    assert cosine > MIN_COSINE, f"{name} --fast: a cosine of {cosine:.5f}"
    medians = rounds(contestants, works, options.rounds)
    ours.close(), loop.close()
    print(line(name, medians, options.threads, ours.facts["half"], cosine), flush=True)


def line(name, medians, threads, half, cosine):
    """A line: times, ratios to the loop and shares of the limit."""
    cpu = {work: row["cpu"] for work, row in medians.items()}
    wall = {work: row["wall"] for work, row in medians.items()}

    def share(run, forward):
        return (cpu["decode"] + cpu[forward]) / cpu[run], max(wall["decode"], wall[forward]) / wall[
            run
        ]

    gains = [cpu["loop"] / cpu["ours"], cpu["loop"] / cpu["fast"]]
    asked = [ASKED[name], ASKED_FAST]
    marked = [
        f"{g:.2f}" if a is None or g >= a else f"**{g:.2f}**"
        for g, a in zip(gains, asked, strict=True)
    ]
    shares = [*share("ours", "forward"), *share("fast", "forward fast")]
    fast = f"{cpu['fast']:.1f}" if half else f"{cpu['fast']:.1f} (float32)"
    return (
        f"| {name} | {cpu['loop']:.1f} | {cpu['ours']:.1f} | {fast} | {marked[0]} | {marked[1]} "
        f"| {cpu['decode']:.1f} + {cpu['forward']:.1f} ({cpu['forward fast']:.1f}) "
        f"| {shares[0]:.2f}, {shares[2]:.2f} | {shares[1]:.2f}, {shares[3]:.2f} | {cosine:.5f} "
        f"| {_compiled(cpu)} |"
    )


def _compiled(cpu):
    """Milliseconds compiled, those of the pass alone, and the ratio to the loop."""
    if "compiled" not in cpu:
        return "–"
    whole, alone = cpu["compiled"], cpu["forward compiled"]
    return f"{whole:.1f} ({alone:.1f}), {cpu['loop'] / whole:.2f}"


def hand_made(spec, folder, options, temporary):
    """One line of the second table."""
    facts = {"folder": str(folder), "threads": options.threads, "spec": spec, "network": False}
    facts |= {"squares": str(temporary / "squares.npy"), "out": str(temporary / "ours.npy")}
    ours = Contestant(OURS, facts)
    works = ["ours", "decode", "forward"]
    cpu = {
        k: v["cpu"] for k, v in rounds(dict.fromkeys(works, ours), works, options.rounds).items()
    }
    ours.close()
    over = cpu["ours"] / (cpu["decode"] + cpu["forward"])
    over = f"{over:.2f}" if over <= ASKED_OVERHEAD else f"**{over:.2f}**"
    print(
        f"| {spec} | {cpu['ours']:.2f} | {cpu['decode']:.2f} | {cpu['forward']:.2f} | {over} |",
        flush=True,
    )


def memory(counts, folder, options, temporary):
    """Peak memory by the number of images; the last over the first is asserted."""
    files, peaks = sorted(folder.glob("*.jpg")), []
    for count in counts:
        linked = temporary / f"linked-{count}"
        linked.mkdir()
        for i in range(count):
            os.link(files[i % len(files)], linked / f"{i:06}.jpg")
        words = [linked, temporary / f"{count}.npz", options.memory_spec, str(options.threads)]
        run = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", MEMORY, *words],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        peaks.append(float(run.stdout))
        print(f"{options.memory_spec}, {count:,} images: peak {peaks[-1]:,.0f} MB", flush=True)
    assert peaks[-1] <= ASKED_MEMORY * peaks[0], f"{peaks[-1] / peaks[0]:.2f} times the memory"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=256, help="JPEGs of 500 × 375")
    parser.add_argument("--large", type=int, default=24, help="JPEGs of 12 megapixels")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--compiled", action="store_true", help="compile in half precision too")
    parser.add_argument("--only", default="", help="works whose name holds this")
    parser.add_argument("--memory", default="", help="numbers of images, such as 1000,20000")
    parser.add_argument("--memory-spec", default="dct")
    options = parser.parse_args()
    peers = [n for n in ("thingsvision", "clip_retrieval") if importlib.util.find_spec(n)]
    print(f"{options.images} images, {options.rounds} rounds, {options.threads} threads", end=", ")
    print(f"load {os.getloadavg()[0]:.1f}; installed peers: {', '.join(peers) or 'none'}\n")
    with tempfile.TemporaryDirectory() as name:
        temporary = Path(name)
        folders = {(500, 375): temporary / "small", (4000, 3000): temporary / "large"}
        write_photographs(folders[500, 375], options.images, (500, 375))
        works = [work for work in WORKS if options.only in work]
        if any(WORKS[work][1] != (500, 375) for work in works):
            write_photographs(folders[4000, 3000], options.large, (4000, 3000))
        if works:
            heading(NETWORK_COLUMNS)
        for work in works:
            network(work, folders[WORKS[work][1]], options, temporary)
        hand = [spec for spec in HAND_MADE if options.only in spec]
        if hand:
            heading(HAND_MADE_COLUMNS)
        for spec in hand:
            hand_made(spec, folders[500, 375], options, temporary)
        if options.memory:
            counts = [int(number) for number in options.memory.split(",")]
            memory(counts, folders[500, 375], options, temporary)


def heading(columns):
    print(f"\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}", flush=True)


if __name__ == "__main__":
    main()
