"""`imrep edit` on a JPEG of 12 megapixels: every operation, as the installed command runs it.

Times are wall clock, medians over rounds that take the operations in turns: of the whole command,
Python and torch to be imported included, and of the edit alone, from reading to having written. The
peak is the process's resident memory. Floors: the edit under 3 s, the process under 1.5 GB.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from skimage import data

from imrep.registry import operations

SECONDS, GIGABYTES = 3.0, 1.5
CHAINS = {
    "blend": "blend:with=other.jpg,mask=mask.png",
    "decode": "decode",
    "denoise": "denoise:method=shrinkage",  # the network takes ten times as long
}


def photograph(path: Path) -> None:
    """A photograph enlarged to 4000 x 3000, with the grain that a camera's would have."""
    large = Image.fromarray(data.coffee()).resize((4000, 3000), Image.Resampling.LANCZOS)
    grain = np.random.default_rng(0).normal(0, 4, (3000, 4000, 3)).astype(np.float32)
    noisy = np.clip(np.asarray(large) + grain, 0, 255).astype(np.uint8)
    Image.fromarray(noisy).save(path, quality=92)


def prepare(folder: Path) -> None:
    photograph(folder / "a.jpg")
    with Image.open(folder / "a.jpg") as image:
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "other.jpg", quality=92)
        ramp = np.linspace(0, 255, 4000).astype(np.uint8)[None].repeat(3000, 0)
        Image.fromarray(ramp).save(folder / "mask.png")


def run(folder: Path, name: str) -> tuple[float, float, float]:
    """Seconds of the command and of the edit, and gigabytes at most."""
    picture = "a.imr" if name == "decode" else "a.jpg"
    words = [
        Path(sys.executable).with_name("imrep"),
        "edit",
        picture,
        CHAINS.get(name, name),
        "--json",
    ]
    out = folder / "said.json"
    began = time.perf_counter()
    with out.open("wb") as file:
        child = os.posix_spawn(
            words[0],
            list(map(str, words)),
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, file.fileno(), 1),
            ],
        )
        _, status, used = os.wait4(child, 0)
    seconds = time.perf_counter() - began
    if status:
        sys.exit(f"{name} ended with status {status}")
    return seconds, json.loads(out.read_text())["seconds"], used.ru_maxrss / 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of turns")
    parser.add_argument("--only", default="", help="operations whose name holds this")
    options = parser.parse_args()
    names = [name for name in operations.names() if options.only in name]
    names.sort(key="decode".__eq__)  # needs what compress has written
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(
        f"[bold]imrep edit[/]  12 MP JPEG, {os.cpu_count()} cores, torch {torch.__version__}"
    )
    runs: dict[str, list[tuple[float, float, float]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        prepare(Path(folder))
        if names == ["decode"]:
            run(Path(folder), "compress")
        for _ in range(options.rounds):
            for name in names:
                runs[name].append(run(Path(folder), name))
        os.chdir("/")
    missed = 0
    for name, rounds in runs.items():
        command, edit, peak = (statistics.median(column) for column in zip(*rounds, strict=True))
        short = edit >= SECONDS or peak >= GIGABYTES
        missed += short
        console.print(
            f"{name:10}  command {command:5.2f} s   edit {edit:5.2f} s   peak {peak:4.2f} GB"
            f"   {'MISSED' if short else 'met'}"
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
