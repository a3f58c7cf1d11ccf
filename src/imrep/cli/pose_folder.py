"""Poses in every image of a data set, into a folder, for `imrep pose`.

After each image a record goes to a work folder beside the output, so that an interrupted run
continues with the next image when it is called again.
"""

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch
from torch import Tensor

from imrep import images
from imrep.datasets import Item
from imrep.embedding import shards
from imrep.embedding.checkpoints import Shard, WorkFolder, digest
from imrep.errors import BadData, BadFile, BadImage
from imrep.images import Reading
from imrep.io import files, provenance
from imrep.io import skipped as skipped_list
from imrep.ops.resize import shrunk
from imrep.represent.spatial.composite import Composite, Pose, Skeleton, Thresholds, coco
from imrep.represent.spatial.composite.pictures import draw_poses
from imrep.types import Progress

_FORMAT = 1  # raised when the same call writes other files
_NAME = "poses.json"


@dataclass(frozen=True)
class Settings:
    """How poses are found.

    Args:
        rep: With its weights, on its device.
        longest: Pixels along the longer side that images are reduced to; None for their own size.
        at_least: The least score.
        thresholds: Of the decoder.
        device: Where to encode.
        reading: How images are read.
    """

    rep: Composite
    longest: int | None
    at_least: float
    thresholds: Thresholds
    device: str
    reading: Reading


@dataclass(frozen=True)
class Posed:
    """The poses of one image, in pixels of its file, and their picture, (1, 3, h, w)."""

    poses: list[Pose]
    picture: Tensor
    size: tuple[int, int]

    @staticmethod
    def document(
        posed: Sequence[tuple[str, "Posed"]], skeleton: Skeleton, description: str
    ) -> dict[str, Any]:
        """The COCO file of images by their names."""
        records = [own.record(name, number) for number, (name, own) in enumerate(posed, 1)]
        return _document(records, skeleton, description)

    def record(self, name: str, number: int) -> dict[str, Any]:
        """The image and its poses as JSON."""
        height, width = self.size
        image = {"id": number, "file_name": name, "width": width, "height": height}
        return {"image": image, "annotations": coco.results(self.poses, number)}


@dataclass(frozen=True)
class PosedFolder:
    """What a run wrote.

    Attributes:
        path: The folder.
        document: Its poses.json.
        image_count: Images in it.
        skipped: Path and reason of each image that is not.
        skipped_path: The list of these, beside the folder.
        resumed: Images of an earlier, interrupted run.
        seconds: Of this run.
    """

    path: Path
    document: dict[str, Any]
    image_count: int
    skipped: tuple[tuple[str, str], ...]
    skipped_path: Path | None
    resumed: int
    seconds: float

    @property
    def pose_count(self) -> int:
        """Poses of all images."""
        return len(self.document["annotations"])

    @property
    def facts(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "out": str(self.path),
            "skipped": [{"path": path, "reason": reason} for path, reason in self.skipped],
            "resumed": self.resumed,
            **self.document,
        }


def pose(image: Tensor, settings: Settings) -> Posed:
    """The poses of an image (1, 3, h, w), searched at a size of at most `longest`."""
    size = (image.shape[2], image.shape[3])
    reduced = shrunk(image, settings.longest).to(settings.device)
    with torch.inference_mode():
        code = settings.rep.encode(reduced)
        (poses,) = settings.rep.poses(code, thresholds=settings.thresholds)
    factor = np.array([size[1] / reduced.shape[3], size[0] / reduced.shape[2]])
    own = [_enlarged(p, factor) for p in poses if p.score >= settings.at_least]
    return Posed(own, draw_poses(image, [own]), size)


def pose_folder(
    items: Sequence[Item],
    settings: Settings,
    out: Path,
    description: str,
    progress: Progress = lambda *_: None,
) -> PosedFolder:
    """Draw and list the poses of every image.

    Each image becomes a PNG of its own name in `out`; poses.json lists all poses. Images that
    cannot be read are skipped and listed in `OUT.skipped.csv`.

    Raises:
        BadData: No image could be read, two would have the same name, or a name beside `out`
            belongs to a file or folder that no run wrote.
        Busy: Another run writes into `out`.
        OSError: The system refuses to write; the next call continues with what is complete.
    """
    start = time.perf_counter()
    targets = _targets(items, out)
    list_path = skipped_list.beside(out)
    files.check_folder_writable(out)
    skipped_list.check(list_path)
    with WorkFolder(out, _key(items, settings)) as work:
        out.mkdir(parents=True, exist_ok=True)
        files.clear_drafts(out, below=True)
        provenance.mark_folder(out, "poses")
        resumed = work.count()
        for i in range(resumed, len(items)):
            work.save(i, _posed_item(i, items[i], targets[i], settings, work))
            progress("finding poses", i + 1, len(items))
        skipped = shards.skipped(work, items)
        paths = [work.path / f"{i:06}.json" for i in range(len(items))]
        records = [json.loads(path.read_text()) for path in paths if path.is_file()]
        document = _document(records, settings.rep.joints, description)
        if records:
            files.write_text(out / _NAME, json.dumps(document, indent=1) + "\n")
        skipped_path = skipped_list.write(list_path, skipped)
        work.discard()
    if not records:
        raise BadData(f"none of the {len(items)} images could be read; {skipped_path} says why.")
    seconds = time.perf_counter() - start
    return PosedFolder(out, document, len(records), skipped, skipped_path, resumed, seconds)


def _posed_item(i: int, item: Item, target: Path, settings: Settings, work: WorkFolder) -> Shard:
    """Write the picture and the record of an image; the shard says that it is done or why not."""
    try:
        posed = pose(images.read(item.read(), **settings.reading.keywords), settings)
    except (BadFile, BadImage) as error:
        return Shard(np.empty((0, 0), np.float32), (), ((i, str(error)),))
    target.parent.mkdir(parents=True, exist_ok=True)
    images.write(target, posed.picture)
    text = json.dumps(posed.record(item.path, i + 1))
    work.write(f"{i:06}.json", lambda draft: draft.write_text(text))
    return Shard(np.array([[len(posed.poses)]], np.float32), (i,), ())


def _enlarged(own: Pose, factor: np.ndarray[Any, Any]) -> Pose:
    """A pose in pixels of the file; pixel centres are at integers in both."""
    joints = own.joints.copy()
    present = joints[:, 0] > 0
    joints[present, 1:3] = (joints[present, 1:3] + 0.5) * factor - 0.5
    joints[:, 3] *= factor.mean()
    return replace(own, joints=joints)


def _document(
    records: Sequence[dict[str, Any]], skeleton: Skeleton, description: str
) -> dict[str, Any]:
    annotations = [own for record in records for own in record["annotations"]]
    return coco.document([r["image"] for r in records], annotations, skeleton, description)


def _targets(items: Sequence[Item], out: Path) -> list[Path]:
    """The picture of each image: its own name with .png, always below `out`."""
    files_ = [Path(item.raw) for item in items]
    listed = all(
        item.refused or item.file == path for item, path in zip(items, files_, strict=True)
    )
    shared = os.path.commonpath([path.parent for path in files_]) if listed and files_ else ""
    sources: dict[Path, str] = {}
    targets = []
    for item, path in zip(items, files_, strict=True):
        parts = (path.relative_to(shared) if listed else PurePosixPath(item.raw)).parts
        target = out.joinpath(*(part for part in parts if part not in ("/", "..")))
        target = target.with_name(f"{target.name}.png" if target.suffix != ".png" else target.name)
        if target in sources:
            raise BadData(f"{sources[target]} and {item.path} would both be {target}. Rename one.")
        sources[target] = item.path
        targets.append(target)
    return targets


def _key(items: Sequence[Item], settings: Settings) -> dict[str, object]:
    """All that determines the output."""
    return {
        "format": _FORMAT,
        "decoder": images.DECODER,
        "representation": settings.rep.fingerprint,
        "longest": settings.longest,
        "at_least": settings.at_least,
        "thresholds": settings.thresholds.numbers(),
        "reading": settings.reading.key,
        "items": digest([[item.path, item.stamp] for item in items]),
    }
