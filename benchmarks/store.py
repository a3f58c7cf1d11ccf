"""A store that is killed, and a store that is read while it is written.

    python benchmarks/store.py kills                     # 200 random kill -9 over embed to a store
    python benchmarks/store.py kills --kills 20 --images 300
    python benchmarks/store.py readers                   # 1 writer and 8 readers, ten minutes
    python benchmarks/store.py readers --minutes 1

Asked: no row lost, none doubled, every rerun ends with the same table; no error of a reader, and
every read is a whole commit. A command that is killed is a child of a process that has imported
everything: importing torch takes longer than the run.
"""

import argparse
import contextlib
import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from imrep import store
from imrep.store import commits, health, layout

_IMPORTS = ("torch", "imrep.api", "imrep.cli.embed", "imrep.cli.engine", "imrep.store.update")
_SPEC = "hog"
_BATCH, _DIM = 200, 64  # rows and numbers of a commit that is read
_FACTS = {"spec": "none", "fingerprint": "0", "size": "native", "imrep": "0"}


def serve():
    """Run commands in forked children; a line on stdin is {"words": [...], "cwd": path}."""
    for name in _IMPORTS:
        importlib.import_module(name)
    from imrep.cli import main

    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        if not (number := os.fork()):
            os.chdir(order["cwd"])
            os.dup2(os.open("log", os.O_CREAT | os.O_TRUNC | os.O_WRONLY), 1)
            os.dup2(1, 2)
            sys.argv = ["imrep", *order["words"]]
            status = 1
            try:
                main(order["words"])
            except SystemExit as end:
                status = end.code or 0
            finally:
                sys.stdout.flush()
                os._exit(status)
        print(number, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]), flush=True)


class Commands:
    """The command in children of a process that has imported everything."""

    def __init__(self):
        self.server = subprocess.Popen(
            [sys.executable, __file__, "serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.server.stdout.readline() == "ready\n"

    def run(self, folder, words, kill_after=None):
        """Exit status: 0, or -9 where it was killed after so many seconds."""
        order = {"words": [str(word) for word in words], "cwd": str(folder)}
        self.server.stdin.write(json.dumps(order) + "\n")
        self.server.stdin.flush()
        number = int(self.server.stdout.readline())
        if kill_after is not None:
            time.sleep(kill_after)
            with contextlib.suppress(ProcessLookupError):  # it has ended
                os.kill(number, signal.SIGKILL)
        return int(self.server.stdout.readline())


def photographs(folder, count):
    """Small PNGs of noise, no two alike."""
    rng = np.random.default_rng(0)
    for i in range(count):
        path = folder / f"class{i % 5}" / f"{i:05}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (48, 64, 3), np.uint8)).save(path)


def content(path):
    """Everything that a table says, in the order of paths."""
    table = store.open(path).dataset.to_table().sort_by("path")
    return table.drop_columns(["vector"]), np.stack(table["vector"].to_numpy())


def kills(chosen):
    """Kill embed at random moments, run it again, and compare the tables."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        photographs(root / "photos", chosen.images)
        commands = Commands()
        words = ["embed", root / "photos", _SPEC, "-o", "s.lance", "--shard", chosen.shard]
        words += ["--batch", 16, "--json", "-q"]
        (root / "uncut").mkdir()
        began = time.monotonic()
        assert commands.run(root / "uncut", words) == 0, (root / "uncut" / "log").read_text()
        seconds = time.monotonic() - began
        rows, vectors = content(root / "uncut" / "s.lance")
        names = ("killed", "partial", "lost", "doubled", "differ", "damaged")
        counts = dict.fromkeys(names, 0)
        rng, trials = random.Random(chosen.seed), 0
        while counts["killed"] < chosen.kills:
            folder = root / f"trial{trials}"
            folder.mkdir()
            trials += 1
            delays = [rng.uniform(0, 1.1) * seconds for _ in range(rng.randint(1, 4))]
            stored = interrupted(commands, folder, words, delays, counts, chosen.images)
            assert commands.run(folder, words) == 0, (folder / "log").read_text()
            done = json.loads((folder / "log").read_text())
            counts["lost"] += done["unchanged"] < stored
            state = health.check(folder / "s.lance")
            counts["doubled"] += state.doubled
            counts["damaged"] += not state.is_sound
            again = content(folder / "s.lance")
            same = again[0].equals(rows) and np.allclose(again[1], vectors, atol=1e-6)
            counts["differ"] += not same
            shutil.rmtree(folder)
        commands.server.stdin.close()
        commands.server.wait()
    failed = counts["lost"] + counts["doubled"] + counts["differ"] + counts["damaged"]
    report({"kills": counts | {"trials": trials, "images": chosen.images}}, failed)


def interrupted(commands, folder, words, delays, counts, images):
    """Kill a run after each delay, while there is one to kill; rows in the store after the last."""
    stored = 0
    for delay in delays:
        status = commands.run(folder, words, delay)
        if status == 0:
            break
        assert status == -signal.SIGKILL, (folder / "log").read_text()
        path, before = folder / "s.lance", stored
        stored = len(store.open(path)) if layout.is_table(path) else 0
        counts["killed"] += 1
        counts["lost"] += stored < before
        counts["partial"] += 0 < stored < images
    return stored


def commit_rows(batch, generation):
    """A commit: rows whose label and numbers say in which it was written."""
    number = np.float32(1000 * generation + batch)
    return (
        {
            "path": f"{batch}/{i}",
            "digest": str(batch),
            "label": str(generation),
            "width": i,
            "height": 1,
            "vector": np.full(_DIM, number),
            "deleted": False,
            "stamp": None,
        }
        for i in range(_BATCH)
    )


def write(path, until):
    """Append, replace and compact until a moment; the number of commits."""
    schema = layout.schema(_DIM, "float32", {})
    rng = random.Random(0)
    batches = generation = count = 0
    while time.time() < until:
        with commits.Writer(path) as writer:
            for _ in range(10):
                generation += 1
                if batches < 50 or rng.random() < 0.2:
                    rows = commits.table(commit_rows(batches, generation), schema)
                    writer.append(rows)
                    batches += 1
                else:
                    batch = rng.randrange(batches)
                    writer.upsert(commits.table(commit_rows(batch, generation), schema))
            writer.compact()
            count += writer.commits
    return count


def read(path, until):
    """Read the newest version again and again; (reads, versions, torn reads)."""
    reads, versions, torn, newest = 0, set(), 0, 0
    while time.time() < until:
        opened = store.open(path)
        rows, vectors = opened.rows(), opened.vectors()
        numbers = rows["digest"].to_numpy().astype(int)
        labels = rows["label"].to_numpy().astype(int)
        wrong = len(rows) != len(vectors) or opened.facts.version < newest
        for batch in np.unique(numbers):
            members = numbers == batch
            wrong |= members.sum() != _BATCH or len(set(labels[members])) != 1
            wrong |= bool((vectors[members] != 1000 * labels[members][0] + batch).any())
        newest = opened.facts.version
        versions.add(newest)
        reads, torn = reads + 1, torn + bool(wrong)
    return reads, len(versions), torn


def readers(chosen):
    """One writer and several readers at the same time, in processes of their own."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "s.lance"
        with commits.Writer(path) as writer:
            writer.create(_DIM, "float32", _FACTS)
        until = time.time() + 60 * chosen.minutes
        roles = ["write", *["read"] * chosen.readers]
        running = [
            subprocess.Popen(
                [sys.executable, __file__, role, str(path), str(until)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for role in roles
        ]
        ended = [(process, *process.communicate()) for process in running]
        errors = [err for process, _, err in ended if process.returncode]
        for err in errors:
            print(err[-2000:], file=sys.stderr)
        answers = [json.loads(out) for process, out, _ in ended if not process.returncode]
        state = health.check(path)
    reads = [answer for answer in answers if isinstance(answer, list)]
    torn = sum(each[2] for each in reads)
    facts = {
        "commits": next((each for each in answers if isinstance(each, int)), None),
        "readers": chosen.readers,
        "reads": sum(each[0] for each in reads),
        "versions": [each[1] for each in reads],
        "torn": torn,
        "errors": len(errors),
        "rows": state.rows,
        "sound": state.is_sound,
        "minutes": chosen.minutes,
    }
    report({"readers": facts}, torn + len(errors) + (not state.is_sound))


def report(facts, failed):
    print(json.dumps(facts))
    raise SystemExit(1 if failed else 0)


def main():
    if sys.argv[1:2] == ["serve"]:
        return serve()
    if len(sys.argv) == 4 and sys.argv[1] in ("write", "read"):
        path, until = Path(sys.argv[2]), float(sys.argv[3])
        return print(json.dumps((write if sys.argv[1] == "write" else read)(path, until)))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", choices=["kills", "readers"])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--images", type=int, default=600)
    parser.add_argument("--shard", type=int, default=48, help="rows in a commit")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=10.0)
    chosen = parser.parse_args()
    return {"kills": kills, "readers": readers}[chosen.work](chosen)


if __name__ == "__main__":
    main()
