"""COCO files of keypoints: which image has which instances, and where their joints are."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imrep.errors import BadData, BadFile
from imrep.io.names import printable

_FOLDERS = (".", "images", "..", "../images")  # where the images may lie, from the file's folder
_VISIBILITIES = (0, 1, 2)  # not annotated, hidden, visible
_SLACK_PX = 1.0  # by which a joint may lie outside, as rounding leaves it


@dataclass(frozen=True)
class KeypointInstance:
    """One annotated instance.

    Args:
        keypoints: (joint, 3) of x, y in pixels and visibility: 0 not annotated, 1 hidden, 2
            visible.
        box: Left, top, width, height in pixels.
        crowd: Whether it stands for a group.
        number: Its id in the file.
    """

    keypoints: NDArray[np.float64]
    box: tuple[float, float, float, float]
    crowd: bool
    number: object


@dataclass(frozen=True)
class KeypointImage:
    """An image of the file and its instances.

    Args:
        name: Its file_name.
        path: Where it lies; None where there is no such file.
        size: Height and width in pixels.
        instances: In the order of the file.
        number: Its id in the file.
    """

    name: str
    path: Path | None
    size: tuple[int, int]
    instances: tuple[KeypointInstance, ...]
    number: object


@dataclass(frozen=True)
class KeypointFile:
    """A COCO file of keypoints of one category.

    Args:
        path: The file.
        category: Its first category with keypoints, as it is written there.
        images: All images, those without an instance too.
    """

    path: Path
    category: Mapping[str, Any]
    images: tuple[KeypointImage, ...]

    @property
    def poses(self) -> list[NDArray[np.float64]]:
        """The keypoints of every instance that is no crowd."""
        return [i.keypoints for image in self.images for i in image.instances if not i.crowd]


def is_keypoint_file(path: str | Path) -> bool:
    """Whether a path may be a COCO file: a .json."""
    file = Path(path)
    return file.suffix.lower() == ".json" and file.is_file()


def read(path: str | Path) -> KeypointFile:
    """Read a file and check every annotation.

    Annotations of categories without keypoints are left out.

    Raises:
        BadFile: If it cannot be read as JSON.
        BadData: If it is no COCO file of keypoints, or an annotation is wrong: of an unknown image
            or category, without keypoints or with another number of them than the category, with
            a joint outside its image, or with a box that is none. The message names the file and
            the annotation.
    """
    file = Path(path)
    name = printable(file.name)
    content = _content(file, name)
    category = _category(content, name)
    images = _images(content, name)
    category_ids = {entry["id"] for entry in content["categories"] if isinstance(entry, dict)}
    instances: dict[object, list[KeypointInstance]] = {number: [] for number in images}
    for annotation in content["annotations"]:
        if not isinstance(annotation, dict):
            raise _wrong(name, "?", "an object", annotation)
        label = annotation.get("id", "?")
        own = annotation.get("category_id")
        if own not in category_ids:
            raise _wrong(name, label, f"a category_id of {_listed(category_ids)}", own)
        if own != category["id"]:
            continue
        number = annotation.get("image_id")
        if not isinstance(number, int | str) or number not in images:
            raise _wrong(name, label, "the id of an image in the file as image_id", number)
        size = _size(images[number])
        instances[number].append(_instance(annotation, label, category, size, name))
    if not any(instances.values()):
        raise BadData(f"{name} needs annotations of {category.get('name')!r}, got none. Add some.")
    rows = tuple(
        KeypointImage(
            str(entry["file_name"]),
            _located(file, str(entry["file_name"])),
            _size(entry),
            tuple(instances[number]),
            number,
        )
        for number, entry in images.items()
    )
    return KeypointFile(file, category, rows)


def _content(file: Path, name: str) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except OSError as error:
        raise BadFile(f"{name} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise BadFile(f"{name} needs JSON, got {reason}. Pass a COCO file.") from error
    for key in ("images", "annotations", "categories"):
        own = content.get(key) if isinstance(content, dict) else None
        if not isinstance(own, list) or not own:
            kind = "an empty list" if own == [] else type(own).__name__
            raise BadData(f"{name} needs a list under {key!r}, got {kind}. Pass a COCO file.")
    return content


def _category(content: dict[str, Any], name: str) -> dict[str, Any]:
    for category in content["categories"]:
        if not isinstance(category, dict) or "id" not in category:
            raise BadData(f"{name} needs an id for each category, got {category!r}. Add it.")
    own = [category for category in content["categories"] if category.get("keypoints")]
    if not own or not isinstance(own[0]["keypoints"], list):
        names = [str(category.get("name")) for category in content["categories"]]
        raise BadData(
            f"{name} needs a category with a list of keypoints, got {', '.join(names[:4])}. "
            "Pass COCO's person_keypoints, or add the names of the joints."
        )
    return dict(own[0])


def _images(content: dict[str, Any], name: str) -> dict[object, dict[str, Any]]:
    images: dict[object, dict[str, Any]] = {}
    names: set[str] = set()
    for entry in content["images"]:
        own = entry if isinstance(entry, dict) else {}
        number, file_name = own.get("id"), own.get("file_name")
        sizes = [own.get(key) for key in ("height", "width")]
        sized = all(isinstance(n, int) and n > 0 for n in sizes)
        if not isinstance(number, int | str) or not isinstance(file_name, str) or not sized:
            raise BadData(
                f"{name} needs id, file_name, height and width of each image, got {_short(entry)}."
            )
        if number in images:
            raise BadData(f"{name} needs one image for each id, got two with {number!r}.")
        if file_name in names:
            raise BadData(f"{name} needs one image for each file_name, got two {file_name}.")
        names.add(file_name)
        images[number] = own
    return images


def _instance(
    annotation: dict[str, Any],
    label: object,
    category: dict[str, Any],
    size: tuple[int, int],
    name: str,
) -> KeypointInstance:
    count = len(category["keypoints"])
    values = annotation.get("keypoints")
    if not isinstance(values, list) or len(values) != 3 * count:
        actual = f"{len(values)} numbers" if isinstance(values, list) else values
        expected = f"{3 * count} numbers as keypoints (x, y, visibility of {count} joints)"
        raise _wrong(name, label, expected, actual)
    if not all(_is_number(v) for v in values):
        raise _wrong(name, label, "finite numbers as keypoints", values)
    keypoints = np.array(values, np.float64).reshape(-1, 3)
    for joint, (x, y, visibility) in zip(category["keypoints"], keypoints.tolist(), strict=True):
        if visibility not in _VISIBILITIES:
            raise _wrong(name, label, f"a visibility of {joint} of 0, 1 or 2", visibility)
        inside = -_SLACK_PX <= x <= size[1] + _SLACK_PX and -_SLACK_PX <= y <= size[0] + _SLACK_PX
        if visibility and not inside:
            expected = f"{joint} inside the image of {size[1]} × {size[0]} pixels"
            raise _wrong(name, label, expected, f"({x:g}, {y:g})")
    return KeypointInstance(keypoints, _box(annotation, keypoints, label, name),
                            bool(annotation.get("iscrowd")), label)  # fmt: skip


def _box(
    annotation: dict[str, Any], keypoints: NDArray[np.float64], label: object, name: str
) -> tuple[float, float, float, float]:
    """The box of the annotation, else that of its joints."""
    box = annotation.get("bbox")
    if box is None:
        own = keypoints[keypoints[:, 2] > 0, :2]
        own = own if len(own) else keypoints[:, :2]
        (left, top), (width, height) = own.min(0), np.ptp(own, axis=0)
        return float(left), float(top), float(width), float(height)
    if not isinstance(box, list) or len(box) != 4 or not all(map(_is_number, box)):
        raise _wrong(name, label, "four numbers as bbox (left, top, width, height)", box)
    if box[2] < 0 or box[3] < 0:
        raise _wrong(name, label, "a bbox of positive width and height", box)
    left, top, width, height = map(float, box)
    return left, top, width, height


def _located(file: Path, name: str) -> Path | None:
    """The image's file, beside the file of annotations or in a usual folder there."""
    for folder in _FOLDERS:
        path = file.parent / folder / name
        if path.is_file():
            return path.resolve()
    return None


def _size(entry: dict[str, Any]) -> tuple[int, int]:
    return entry["height"], entry["width"]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _wrong(name: str, label: object, expected: str, actual: object) -> BadData:
    return BadData(
        f"{name} needs, in annotation {label}, {expected}, got {_short(actual)}. Correct it there."
    )


def _listed(values: set[Any]) -> str:
    return ", ".join(sorted(map(str, values))[:8])


def _short(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
