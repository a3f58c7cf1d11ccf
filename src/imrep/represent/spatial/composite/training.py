"""Training from poses: a COCO file as a data set, examples of a batch, measures afterwards."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import PIL.Image
import torch
from numpy.typing import NDArray
from torch import Tensor

from imrep.base import Change, Evaluation, TrainingImages
from imrep.datasets import Dataset, Item, keypoints
from imrep.datasets.dataset import count
from imrep.datasets.keypoints import KeypointFile, KeypointImage
from imrep.datasets.sources import File
from imrep.errors import BadData
from imrep.io.digests import digest
from imrep.represent.spatial.composite import augmentation
from imrep.represent.spatial.composite.augmentation import Example
from imrep.represent.spatial.composite.decoder import Pose
from imrep.represent.spatial.composite.network import Cells
from imrep.represent.spatial.composite.skeleton import Skeleton
from imrep.represent.spatial.composite.targets import Instance, encode

_ORIENTATION, _TRANSPOSED = 0x0112, (5, 6, 7, 8)  # of Exif: rows and columns change places
_SIMILAR = 0.5  # of joints, at which an instance counts as detected


@dataclass(frozen=True, eq=False)
class Poses:
    """The annotated instances of a data set.

    Args:
        file: They come from.
        key: Digest of them.
        instances: By the path of their image.
        sizes: Height and width of each image in pixels, likewise.
    """

    file: KeypointFile = field(repr=False)
    key: str
    instances: dict[str, tuple[Instance, ...]] = field(repr=False)
    sizes: dict[str, tuple[int, int]] = field(repr=False)

    @property
    def parameters(self) -> dict[str, bool | int | float | str]:
        """The file, as the skeleton."""
        return {"skeleton": str(self.file.path)}

    def of(self, path: str) -> tuple[Instance, ...]:
        """The instances of an image."""
        return self.instances[path]


def find(data: str, caller: str) -> Dataset:
    """The images of a COCO file that have a pose, with their instances.

    Raises:
        BadFile: If it is no JSON.
        BadData: If it is no COCO file of keypoints, an annotation in it is wrong, or an image has
            another size than it says; the message names the file and the annotation or image.
    """
    if not keypoints.is_keypoint_file(data):
        raise BadData(
            f"{caller} needs a COCO file of keypoints to be trained on, got {data}. Pass the path "
            "of a .json with images, annotations and categories."
        )
    file = keypoints.read(data)
    posed = sorted((i for i in file.images if _has_pose(i)), key=lambda image: image.name)
    if not posed:
        raise BadData(f"{caller} needs an annotated joint in {file.path.name}, got none. Add some.")
    items, notes = [], []
    for image in posed:
        path = image.path or file.path.parent / image.name
        _check_size(image, file)
        items.append(Item(image.name, source=File(path)))
    left_out = len(file.images) - len(posed)
    if left_out:
        notes.append(f"{count(left_out, 'image')} without a joint left out")
    instances = {
        item.path: tuple(Instance(i.keypoints, i.box, i.crowd) for i in image.instances)
        for item, image in zip(items, posed, strict=True)
    }
    sizes = {item.path: image.size for item, image in zip(items, posed, strict=True)}
    parts = [
        part
        for path, own in instances.items()
        for instance in own
        for part in (path, instance.keypoints.tobytes(), repr((instance.box, instance.crowd)))
    ]
    annotations = Poses(file, digest(repr(dict(file.category)), *parts), instances, sizes)
    return Dataset(file.path.name, tuple(items), tuple(notes), annotations=annotations)


@dataclass(frozen=True)
class PosedImages:
    """Squares of images around their instances, and the fields of these.

    Args:
        images: Of the run.
        poses: By the paths of the images.
        skeleton: Joints and edges.
        cells: Of the network's fields.
    """

    images: TrainingImages
    poses: Poses
    skeleton: Skeleton
    cells: Cells

    def random(self, row: int, change: Change) -> dict[str, Tensor]:
        """A random square around a random instance, by a seed of torch's generator."""
        dice = np.random.default_rng(int(torch.randint(2**62, ())))
        pixels, own = self._pair(row)
        example = augmentation.augmented(
            pixels, own, self.skeleton, change.side, dice, change.names, change.strength
        )
        return self._tensors(example, change.side)

    def plain(self, row: int, side: int) -> dict[str, Tensor]:
        """The square around the largest instance."""
        return self._tensors(augmentation.centred(*self._pair(row), side), side)

    def _tensors(self, example: Example, side: int) -> dict[str, Tensor]:
        rows = self.cells.complete(side)[0]
        return tensors(example, self.skeleton, (rows, rows), self.cells.stride)

    def _pair(self, row: int) -> tuple[Tensor, tuple[Instance, ...]]:
        """The pixels and the instances in them; files may be read as central squares."""
        path, pixels = self.images.items[row].path, self.images.pixels.read(row)
        (height, width), own = self.poses.sizes[path], self.poses.of(path)
        if tuple(pixels.shape[1:]) == (height, width):
            return pixels, own
        factor = pixels.shape[1] / min(height, width)
        corner = np.array([max(0, width - height), max(0, height - width)]) / 2
        return pixels, tuple(_in_square(instance, factor, corner) for instance in own)


def tensors(
    example: Example, skeleton: Skeleton, size: tuple[int, int], stride: int
) -> dict[str, Tensor]:
    """`image` (3, h, w), uint8, and its targets `intensity` and `association`.

    Args:
        example: A square of an image.
        skeleton: Joints and edges.
        size: Rows and columns of the fields.
        stride: Pixels per cell.
    """
    own = encode(example.instances, skeleton, size, stride, example.valid)
    return {
        "image": example.pixels,
        "intensity": torch.from_numpy(own.intensity),
        "association": torch.from_numpy(own.association),
    }


def evaluation(pairs: Iterator[tuple[Sequence[Pose], Sequence[Pose]]]) -> Evaluation:
    """How similar detected poses are to annotated ones, from (annotated, detected) of each image.

    The similarity of an instance is COCO's: the mean over its joints of exp(-d² / (8 s²)), for the
    distance d to the joint of the pose and the joint's scale s; 0 for a joint that is not there.
    """
    similarities: list[float] = []
    poses = 0
    for annotated, detected in pairs:
        poses += len(detected)
        similarities += [
            max((_similarity(pose.joints, own.joints) for own in detected), default=0.0)
            for pose in annotated
        ]
    values = np.array(similarities or [0.0])
    return Evaluation(
        {
            "mean similarity of joints": float(values.mean()),
            "instances detected": float((values >= _SIMILAR).mean()),
            "poses per instance": poses / max(1, len(similarities)),
        }
    )


def _similarity(annotated: NDArray[np.floating], detected: NDArray[np.floating]) -> float:
    present = annotated[:, 0] > 0
    squared = ((annotated[:, 1:3] - detected[:, 1:3]) ** 2).sum(1)
    joints = np.exp(-squared / (8 * annotated[:, 3] ** 2 + 1e-9)) * (detected[:, 0] > 0)
    return float(joints[present].mean()) if present.any() else 0.0


def _has_pose(image: KeypointImage) -> bool:
    return any(not i.crowd and (i.keypoints[:, 2] > 0).any() for i in image.instances)


def _check_size(image: KeypointImage, file: KeypointFile) -> None:
    """Refuse an image that is not of the size that the file says; unreadable ones are skipped."""
    if image.path is None:
        return
    try:
        with PIL.Image.open(image.path) as opened:
            width, height = opened.size
            if opened.getexif().get(_ORIENTATION) in _TRANSPOSED:
                width, height = height, width
    except Exception:  # decoders raise arbitrary exceptions; reading reports the reason
        return
    if (height, width) != image.size:
        raise BadData(
            f"{file.path.name} needs image {image.number} ({image.name}) to be of "
            f"{image.size[1]} × {image.size[0]} pixels, as it says, got {width} × {height}. "
            "Correct its height and width, or the file."
        )


def _in_square(instance: Instance, factor: float, corner: NDArray[np.float64]) -> Instance:
    """An instance of an image in its central square, made larger or smaller by a factor."""
    own = instance.keypoints.copy()
    own[:, :2] = (own[:, :2] + 0.5 - corner) * factor - 0.5
    left, top, width, height = instance.box
    x, y = (np.array([left, top]) + 0.5 - corner) * factor - 0.5
    return Instance(own, (float(x), float(y), width * factor, height * factor), instance.crowd)
