"""Poses in COCO's form: what `pose` writes and pycocotools reads."""

from collections.abc import Sequence
from typing import Any

from imrep.represent.spatial.composite.decoder import Pose
from imrep.represent.spatial.composite.skeleton import Skeleton

_CATEGORY = 1


def results(poses: Sequence[Pose], image_id: int) -> list[dict[str, Any]]:
    """The poses of an image as COCO's results of keypoints.

    Keypoints are x, y and confidence, joint after joint, 0 where a joint is absent; positions count
    from the centre of the first pixel.
    """
    return [{"image_id": image_id, "category_id": _CATEGORY, **pose.coco()} for pose in poses]


def document(
    images: Sequence[dict[str, Any]],
    annotations: Sequence[dict[str, Any]],
    skeleton: Skeleton,
    description: str,
) -> dict[str, Any]:
    """A COCO file of detected poses; its annotations are results that `loadRes` takes.

    Args:
        images: With id, file_name, width and height.
        annotations: Of `results`, in any order.
        skeleton: Of all poses.
        description: Of the file.
    """
    category = {
        "id": _CATEGORY,
        "name": skeleton.category,
        "keypoints": list(skeleton.joints),
        "skeleton": (skeleton.pairs + 1).tolist(),
        "sigmas": list(skeleton.sigmas),
    }
    numbered = [
        {
            "id": number,
            **own,
            "area": round(own["bbox"][2] * own["bbox"][3], 2),
            "num_keypoints": sum(v > 0 for v in own["keypoints"][2::3]),
            "iscrowd": 0,
        }
        for number, own in enumerate(annotations, 1)
    ]
    return {
        "info": {"description": description},
        "images": list(images),
        "categories": [category],
        "annotations": numbered,
    }
