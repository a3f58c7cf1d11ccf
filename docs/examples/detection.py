"""Faster R-CNN on frequencies: trained on photographs of COCO, then asked what it sees.

    python docs/examples/detection.py                    persons in the shared photographs of COCO
    python docs/examples/detection.py --steps 20         shorter
    python docs/examples/detection.py --weights run/model

The network is `dctnet`, at random weights or at those of `imrep train dctnet`. Every tenth
photograph is held out. It writes OUT/detector.pt every fifty steps, from which the same command
goes on, and OUT/detections.png: predicted boxes with their scores in orange, those of COCO in
white, on held-out photographs in the last row. Needs the shared data (IMREP_DATA) or a folder in
COCO's layout: annotations/instances.json and images/.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from rich.console import Console
from rich.progress import track
from torch import Tensor

import imrep
from imrep.represent.learned.dctnet.detection import faster_rcnn

DATA = Path(os.environ.get("IMREP_DATA", "../shared/data")) / "coco_mini_train"
ORANGE, WHITE = (240, 120, 20), (255, 255, 255)
_MAX_OBJECTS = 3  # in a photograph; crowds need more photographs than these
_MIN_SCORE = 0.7  # of a box that is drawn
console = Console(highlight=False)
Example = tuple[Tensor, dict[str, Tensor]]


def examples(folder: Path, category: str, side: int) -> list[Example]:
    """Images (3, h, w), at most `side` high and wide, of few large objects, and their boxes."""
    coco = json.loads((folder / "annotations" / "instances.json").read_text(encoding="utf-8"))
    number = next(c["id"] for c in coco["categories"] if c["name"] == category)
    read = []
    for entry in sorted(coco["images"], key=lambda entry: entry["file_name"]):
        own = [a for a in coco["annotations"] if a["image_id"] == entry["id"]]
        boxes = [a["bbox"] for a in own if a["category_id"] == number and not a.get("iscrowd")]
        large = min(entry["width"], entry["height"]) / 8
        if not 1 <= len(boxes) <= _MAX_OBJECTS or any(min(box[2:]) < large for box in boxes):
            continue
        photo = Image.open(folder / "images" / entry["file_name"]).convert("RGB")
        width = photo.width
        photo.thumbnail((side, side))
        corners = torch.tensor(boxes) * (photo.width / width)
        corners[:, 2:] += corners[:, :2]
        pixels = torch.from_numpy(np.asarray(photo).copy()).permute(2, 0, 1) / 255
        read.append((pixels, {"boxes": corners, "labels": torch.ones(len(boxes)).long()}))
    return read


def train(detector: Any, data: list[Example], steps: int, batch: int, file: Path) -> None:
    """Descend the detector's losses, from the state in the file if there is one."""
    optimiser = torch.optim.AdamW(detector.parameters(), 5e-4, weight_decay=0.01, fused=True)
    first = 0
    if file.exists():
        state = torch.load(file, weights_only=True)
        first = state["step"]
        detector.load_state_dict(state["detector"])
        optimiser.load_state_dict(state["optimiser"])
    detector.train()
    for step in track(range(first, steps), "training", console=console):
        torch.manual_seed(step)
        rows = torch.randperm(len(data))[:batch].tolist()
        images, targets = zip(*[flipped(data[row]) for row in rows], strict=True)
        loss = sum(detector(list(images), list(targets)).values())
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(detector.parameters(), 10.0)
        optimiser.step()
        if (step + 1) % 50 == 0 or step + 1 == steps:
            state = {"detector": detector.state_dict(), "optimiser": optimiser.state_dict()}
            torch.save({**state, "step": step + 1}, file)
            console.print(f"step {step + 1}: loss {loss.item():.3f}")


def flipped(example: Example) -> Example:
    """Mirrored half of the time."""
    image, target = example
    if torch.rand(()) < 0.5:
        return example
    left, top, right, bottom = target["boxes"].unbind(1)
    width = image.shape[2]
    boxes = torch.stack([width - right, top, width - left, bottom], 1)
    return image.flip(2), {**target, "boxes": boxes}


def picture(image: Tensor, target: dict[str, Tensor], result: dict[str, Tensor]) -> Image.Image:
    """A photograph with its boxes."""
    photo = Image.fromarray((255 * image).byte().permute(1, 2, 0).numpy())
    draw = ImageDraw.Draw(photo)
    for box in target["boxes"].tolist():
        draw.rectangle(box, outline=WHITE, width=1)
    for box, score in zip(result["boxes"].tolist(), result["scores"].tolist(), strict=True):
        if score >= _MIN_SCORE:
            draw.rectangle(box, outline=ORANGE, width=2)
            draw.rectangle((box[0], box[1], box[0] + 26, box[1] + 11), fill=ORANGE)
            draw.text((box[0] + 3, box[1]), f"{score:.2f}", fill=WHITE)
    return photo


def sheet(photos: list[Image.Image], columns: int, cell: int) -> Image.Image:
    """Photographs in rows on white."""
    rows = -(-len(photos) // columns)
    paper = Image.new("RGB", (columns * cell, rows * cell), WHITE)
    for i, photo in enumerate(photos):
        left, top = i % columns * cell, i // columns * cell
        paper.paste(photo, (left + (cell - photo.width) // 2, top + (cell - photo.height) // 2))
    return paper


def main() -> None:
    """Read the options, train, and draw what is detected."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument("--category", default="person")
    parser.add_argument("--arch", default="resnet18")
    parser.add_argument("--weights", default="random", help="random, published, or a saved dctnet")
    parser.add_argument("--channels", type=int, default=64, help="frequencies")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--side", type=int, default=256, help="largest side of a photograph, px")
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("OUT", "build/detection")))
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    options.out.mkdir(parents=True, exist_ok=True)
    spec = f"dctnet:weights='{options.weights}'"
    if options.weights in ("random", "published"):
        spec += f",arch={options.arch},channels={options.channels}"
    net = imrep.get(spec)
    detector = faster_rcnn(
        net, 2, side=options.side * 3 // 4, max_side=options.side, channels=64,
        batch_statistics=options.weights == "random",
    )  # fmt: skip
    detector.roi_heads.nms_thresh = 0.3
    detector.roi_heads.fg_bg_sampler.batch_size_per_image = 64  # regions, in place of 512
    data = examples(options.data, options.category, options.side)
    held_out, trained = data[::10], [e for i, e in enumerate(data) if i % 10]
    console.print(f"{len(trained)} photographs to train on, {len(held_out)} held out")
    train(detector, trained, options.steps, options.batch, options.out / "detector.pt")
    detector.eval()
    columns, shown = 4, [*trained[:8], *held_out[:4]]
    with torch.no_grad():
        photos = [picture(image, target, detector([image])[0]) for image, target in shown]
    sheet(photos, columns, options.side + 4).save(options.out / "detections.png")
    console.print(f"{options.out}/detections.png")


if __name__ == "__main__":
    main()
