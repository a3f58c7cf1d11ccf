"""COCO's average precision of poses, by pycocotools, after a short training: overfit and held out.

The 100 photographs of Leeds Sports Pose Extended in shared/data/keypoints, 14 joints of one person
each: squares of 193 px around the person. Overfit: trained and tested on the same eight squares,
which shows that fields, loss and decoder fit together. Held out: trained on augmented squares of
80, tested on 20 others. The mice (four photographs, four joints) are overfit alone.

python benchmarks/composite_ap.py [--minutes N] [--only overfit] [--arch NAME] [--json FILE]
"""

import argparse
import contextlib
import csv
import io
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import imrep
from imrep import images
from imrep.represent.spatial.composite import Composite, Instance, augmentation, coco
from imrep.represent.spatial.composite.training import tensors

DATA = Path(os.environ.get("IMREP_DATA", "../shared/data")) / "keypoints"
SIDE, BATCH, RATE = 193, 8, 2e-3
NAMES = ("resized_crop", "flip", "rotate", "jitter")
PEOPLE = "1-2 2-3 3-4 4-5 5-6 7-8 8-9 9-10 10-11 11-12 9-13 10-13 13-14 3-9 4-10"
MICE = "1-2 1-3 2-3 2-4 3-4 1-4"
Row = tuple[Tensor, Instance]  # pixels (3, h, w) and the person in them


@dataclass
class Set:
    """A set of photographs and the category of what they show."""

    rows: list[Row]
    category: dict[str, object]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--minutes", type=float, default=3, help="of each training")
    options.add_argument("--only", default="", help="works whose name holds this")
    options.add_argument("--arch", default="tf_efficientnet_lite0")
    options.add_argument("--weights", default="backbone", help="of the backbone: or random")
    options.add_argument("--layer", type=int, default=-2)
    options.add_argument("--side", type=int, default=SIDE, help="pixels")
    options.add_argument("--json", type=Path)
    own = options.parse_args()
    torch.manual_seed(0)
    people, mice = read_people(), read_mice()
    works = {
        "people, overfit": (people, people.rows[:8], people.rows[:8]),
        "people, held out": (people, people.rows[20:], people.rows[:20]),
        "mice, overfit": (mice, mice.rows, mice.rows),
    }
    spec = f"composite:arch={own.arch},weights={own.weights},layer={own.layer}"
    results = []
    for name, (data, trained, tested) in works.items():
        if own.only in name:
            rep, steps = train(spec, data, trained, own.minutes, own.side, "held" in name)
            row = {
                "work": name,
                "steps": steps,
                "trained": len(trained),
                **evaluate(rep, tested, own.side),
            }
            print(row, flush=True)
            results.append(row)
    if own.json:
        own.json.write_text("".join(json.dumps(row) + "\n" for row in results))


def read_people() -> Set:
    """Joints from right ankle to head top."""
    return read(DATA / "lsp_extended_a", "joints.csv", "person", PEOPLE)


def read_mice() -> Set:
    return read(DATA / "mouse_openfield_a", "keypoints.csv", "mouse", MICE)


def read(folder: Path, table: str, name: str, edges: str) -> Set:
    with (folder / table).open() as file:
        lines = [*csv.DictReader(file)]
    joints = [column.removesuffix("_x") for column in lines[0] if column.endswith("_x")]
    rows = []
    for line in lines:
        visible = [float(line.get(f"{joint}_visible", 1)) for joint in joints]
        xy = [[float(line[f"{joint}_{axis}"]) for axis in "xy"] for joint in joints]
        keypoints = np.column_stack([xy, 2 * np.array(visible)])
        seen = keypoints[keypoints[:, 2] > 0, :2]
        box = (*seen.min(0), *np.ptp(seen, axis=0))
        pixels = images.read(folder / "images" / line["image"])[0]
        rows.append(((255 * pixels).round().to(torch.uint8), Instance(keypoints, box)))
    pairs = [[int(j) for j in pair.split("-")] for pair in edges.split()]
    return Set(rows, {"id": 1, "name": name, "keypoints": joints, "skeleton": pairs})


def train(
    spec: str, data: Set, rows: Sequence[Row], minutes: float, side: int, augment: bool
) -> tuple[Composite, int]:
    """For some minutes by Adam, its rate falling to zero; on augmented squares, or on the same."""
    file = Path(os.environ.get("TMPDIR", "/tmp")) / f"composite_ap.{os.getpid()}.json"
    annotations = [{"category_id": 1, "keypoints": i.keypoints.ravel().tolist()} for _, i in rows]
    file.write_text(json.dumps({"categories": [data.category], "annotations": annotations}))
    rep = imrep.get(f"{spec},skeleton='{file}'")
    file.unlink()
    assert isinstance(rep, Composite)
    optimiser = torch.optim.Adam(rep.parameters(), RATE)
    dice, began, steps = np.random.default_rng(0), time.monotonic(), 0
    size = (rep.network.cells.complete(side)[0],) * 2
    rep.train()
    while (share := (time.monotonic() - began) / (60 * minutes)) < 1:
        optimiser.param_groups[0]["lr"] = RATE * 0.5 * (1 + np.cos(np.pi * share))
        chosen = dice.choice(len(rows), min(BATCH, len(rows)), replace=False)
        examples = [
            augmentation.augmented(rows[i][0], [rows[i][1]], rep.joints, side, dice, NAMES)
            if augment
            else augmentation.centred(rows[i][0], [rows[i][1]], side)
            for i in chosen
        ]
        parts = [tensors(example, rep.joints, size, rep.stride) for example in examples]
        batch = {name: torch.stack([part[name] for part in parts]) for name in parts[0]}
        loss = rep.loss(batch | {"image": batch["image"].float() / 255})
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(rep.parameters(), 100)
        optimiser.step()
        steps += 1
    return rep.eval(), steps


def evaluate(rep: Composite, rows: Sequence[Row], side: int) -> dict[str, float]:
    """AP and AR over thresholds of similarity from .5 to .95, and AP at .5."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    truth, found, entries = [], [], []
    for number, (pixels, person) in enumerate(rows, 1):
        square = augmentation.centred(pixels, [person], side)
        (own,) = square.instances
        with torch.no_grad():
            code = rep.encode(square.pixels[None].float() / 255)
        found += coco.results(rep.poses(code)[0], number)
        keypoints = own.keypoints.copy()
        keypoints[keypoints[:, 2] == 0] = 0
        truth.append(
            {
                "id": number, "image_id": number, "category_id": 1, "iscrowd": 0,
                "keypoints": keypoints.ravel().tolist(), "bbox": list(own.box),
                "num_keypoints": int((keypoints[:, 2] > 0).sum()),
                "area": 0.5 * own.box[2] * own.box[3],
            }
        )  # fmt: skip
        entries.append({"id": number, "file_name": str(number), "width": side, "height": side})
    if not found:
        return {"AP": 0.0, "AP50": 0.0, "AR": 0.0, "poses": 0}
    document = coco.document(entries, [], rep.joints, "truth") | {"annotations": truth}
    with contextlib.redirect_stdout(io.StringIO()):
        ours = COCO()
        ours.dataset = document
        ours.createIndex()
        judge = COCOeval(ours, ours.loadRes(found), "keypoints")
        judge.params.kpt_oks_sigmas = np.array(rep.joints.sigmas)
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    figures = {"AP": judge.stats[0], "AP50": judge.stats[1], "AR": judge.stats[5]}
    return {name: round(float(v), 3) for name, v in figures.items()} | {"poses": len(found)}


if __name__ == "__main__":
    main()
