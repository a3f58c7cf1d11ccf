"""Composite fields: where joints are, and which of them belong together."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep import checks, codecheck, weights
from imrep.base import Evaluation, Examples, Learned, Recipe, TrainingImages
from imrep.base.supervised import take_saved
from imrep.codes import Fields
from imrep.datasets import Dataset
from imrep.errors import BadCode, BadData, BadParameter, WeightsNeeded
from imrep.io.digests import digest
from imrep.networks import Request, inputs
from imrep.registry import specs
from imrep.registry.cards import Card
from imrep.represent.spatial.composite import (
    checkpoint,
    coco,
    fields,
    network,
    pictures,
    targets,
    training,
)
from imrep.represent.spatial.composite import skeleton as skeletons
from imrep.represent.spatial.composite.decoder import Pose, decode
from imrep.represent.spatial.composite.losses import OBJECTIVES
from imrep.represent.spatial.composite.shufflenet import SHAPES
from imrep.represent.spatial.composite.skeleton import COCO, Skeleton
from imrep.represent.spatial.composite.targets import Instance, Targets
from imrep.represent.spatial.composite.thresholds import Thresholds
from imrep.types import Image, Picture, Progress
from imrep.weights import strict

__all__ = ["COCO", "Composite", "Instance", "Pose", "Skeleton", "Thresholds", "coco"]

_NAMED = ("published", "backbone", "random")  # weights that are no file
_FIXED = ("arch", "layer", "upsample")  # by the weights
_MAX_UPSAMPLE = 8


class Composite(Learned[Fields]):
    """Fields of a network that points from every cell to the joints and the bones around it.

    A part intensity field says for every cell whether a joint is near, where exactly, and how large
    it is; a part association field says the same of two joints that a bone connects. A decoder
    grows poses from them: from the surest joints along the surest associations, for any number of
    instances at once. The skeleton may be that of persons, hands, animals or cars: it comes with
    the weights, or from the COCO file that they are trained on.

    The code has one field for each joint, then one for each edge. Its vector holds the greatest and
    the mean confidence of each. Images are read at their own size, and extended to the right and
    below to complete cells.

    No weights come with imrep. `imrep train composite FILE.json` makes them; OpenPifPaf's own
    checkpoints (.pkl) of ShuffleNetV2K are read without that package, by an unpickler that runs
    nothing.

    Args:
        weights: A folder of trained weights, a checkpoint of OpenPifPaf, or a state dict; "random",
            or "backbone" for the published weights of a backbone of timm with random heads, to
            train from. "published" stands for none: there are none to be loaded.
        arch: "shufflenetv2k16", "shufflenetv2k30", or a network of timm or torchvision.
        layer: Stage of a network of timm that the heads read, from 0 for the finest or from -1 for
            the last.
        upsample: Cells of the fields for each cell of that stage, along either axis.
        skeleton: "coco" (17 joints of a person, 19 edges), "coco_dense" (25 edges more), or a COCO
            file whose category has keypoints. Weights determine it.
        objective: The loss of training: "v0.13", or that of the paper of "2019".

    References:
        S. Kreiss, L. Bertoni and A. Alahi, "PifPaf: Composite fields for human pose estimation",
        CVPR 2019. doi:10.1109/CVPR.2019.01225

        S. Kreiss, L. Bertoni and A. Alahi, "OpenPifPaf: Composite fields for semantic keypoint
        detection and spatio-temporal association", IEEE Trans. Intelligent Transportation Systems
        23(8), 2022. doi:10.1109/TITS.2021.3124981

    Example:
        >>> import numpy as np, torch, imrep
        >>> rep = imrep.get("composite:weights=random,arch=test_resnet")
        >>> tuple(rep.encode(torch.rand(1, 3, 65, 97)).confidence.shape)
        (1, 36, 5, 7)
        >>> x, y = np.arange(17.0) * 7 + 20, np.arange(17.0) * 5 + 30
        >>> person = Instance(np.stack([x, y, np.full(17, 2.0)], 1), (20, 30, 112, 80))
        >>> poses = rep.poses(rep.draw_up([person], (161, 161)))[0]
        >>> len(poses), bool(np.allclose(poses[0].joints[:, 1], x, atol=1e-3))
        (1, True)
    """

    card = Card(
        title="Composite fields",
        family="spatial",
        cite="Kreiss et al. 2019, doi:10.1109/CVPR.2019.01225",
        dtype="float32",
        weights="trained",
        native="kernels",
    )
    example = "composite:arch=test_resnet,weights=random"
    recipe = Recipe(
        learning_rate=2e-3,
        weight_decay=1e-5,
        batch=8,
        size=0,
        crop=193,
        augment="resized_crop+flip+rotate+jitter",
    )
    recipes: ClassVar[Mapping[str, Recipe]] = MappingProxyType(
        {
            "paper": replace(
                recipe,
                optimiser="sgd",
                learning_rate=3e-4,
                momentum=0.95,
                schedule="step",
                clip=10.0,
                batch=32,
                steps=500_000,
                crop=385,
            )
        }
    )

    def __init__(
        self,
        *,
        weights: str = "published",
        arch: str = "shufflenetv2k16",
        layer: int = -1,
        upsample: int = 2,
        skeleton: str = "coco",
        objective: str = "v0.13",
    ) -> None:
        checks.one_of(objective, tuple(OBJECTIVES), self.name, "objective")
        checks.integer(upsample, 1, _MAX_UPSAMPLE, self.name, "upsample")
        super().__init__()
        self.weights, self.arch, self.layer, self.upsample = weights, arch, layer, upsample
        self.skeleton, self.objective = skeleton, objective
        self._build()

    def encode(self, image: Image) -> Fields:
        """Fields of joints, then of edges; their cells are `stride` pixels apart."""
        checks.image(image, self.name)
        size = (image.shape[2], image.shape[3])
        return fields.join(self.network(self._padded(image)), self.joints, self.stride, size)

    def poses(
        self,
        code: Fields,
        *,
        thresholds: Thresholds = Thresholds(),  # noqa: B008  # immutable
    ) -> list[list[Pose]]:
        """The poses in every image, the surest first.

        Args:
            code: Of `encode`.
            thresholds: Of confidences; `Thresholds(force_complete=True)` gives every joint.
        """
        return decode(code, self.joints, thresholds)

    def draw_up(self, instances: list[Instance], size: tuple[int, int]) -> Fields:
        """The code that a perfect network would give: annotated instances as fields.

        Args:
            instances: Of one image; crowds have no fields.
            size: Its height and width, in pixels.
        """
        shape = self._field_size(size)
        posed = [instance for instance in instances if not instance.crowd]
        target = targets.encode(posed, self.joints, shape, self.stride)
        return fields.of_targets(target, self.joints, self.stride, size)

    def picture(self, code: Fields, image: Image | None = None) -> Picture:
        """Intensities, associations and poses, side by side."""
        panels = [
            pictures.draw_intensities(code, len(self.joints.joints), image),
            pictures.draw_associations(code, self.joints, image),
        ]
        background = code.confidence.new_full((len(code), 3, *code.size), 0.16)
        background = background if image is None else image.to(background)
        panels.append(pictures.draw_poses(background, self.poses(code)))
        return pictures.montage(panels)

    def check_code(self, code: Fields) -> None:
        """Refuse fields of another skeleton or stride.

        Raises:
            BadCode: Naming what is needed and what came.
        """
        count = len(self.joints.labels)
        ends = code.vectors.shape[2]
        if (code.confidence.shape[1], ends, code.stride) != (count, 2, self.stride):
            raise BadCode(
                f"{self.name} needs {count} fields of 2 ends at stride {self.stride}, got "
                f"{code.confidence.shape[1]} of {ends} at {code.stride}. "
                "Use the parameters that encoded."
            )
        codecheck.maps(code.confidence, self.name, [count], self._field_size(code.size))

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """The sum of the objective's six terms, three of each head.

        Args:
            batch: `image` (b, 3, h, w) in [0, 1]; `intensity` (b, joint, 5, rows, columns) and
                `association` (b, edge, 9, rows, columns), as `targets.encode` gives them.

        Raises:
            BadData: If there are no targets.
        """
        if "intensity" not in batch:
            raise BadData(
                f"{self.name} needs poses to be trained, got images alone. Pass a COCO file."
            )
        self.network.train(self.training)
        try:
            raw = self.network(self._padded(batch["image"]))
        finally:
            self.network.eval()
        objective = OBJECTIVES[self.objective]
        names = ("intensity", "association")
        terms = [objective(own, batch[name]) for own, name in zip(raw, names, strict=True)]
        return torch.stack(terms).sum()

    @classmethod
    def annotated(cls, data: str, progress: Progress | None = None) -> Dataset:
        """The images of a COCO file with their poses.

        Raises:
            BadData: If it is no such file, or an annotation in it is wrong.
        """
        return training.find(data, cls.name)

    def training_examples(self, images: TrainingImages) -> Examples | None:
        """Squares around instances, with the fields of these.

        Raises:
            BadData: If the annotations are of another skeleton than the weights.
        """
        poses = images.annotations
        if not isinstance(poses, training.Poses):
            return None  # the loss refuses them
        joints = tuple(poses.file.category["keypoints"])
        if joints != self.joints.joints:
            raise BadData(
                f"{self.name} needs annotations of {', '.join(self.joints.joints[:3])}, …, as its "
                f"weights are of, got {', '.join(joints[:3])}, …. Train from weights=random."
            )
        return training.PosedImages(images, poses, self.joints, self.network.cells)

    def evaluate(self, batches: Iterator[dict[str, Tensor]]) -> Evaluation:
        """How similar the poses of held-out squares are to their annotations."""
        return training.evaluation(
            pair for batch in batches for pair in zip(*self._compared(batch), strict=True)
        )

    def examples_of_batch(self, batch: dict[str, Tensor]) -> dict[str, Image]:
        """Squares with the annotated poses, and with those that were found."""
        annotated, detected = self._compared(batch)
        image = batch["image"]
        return {
            "annotated": pictures.draw_poses(image, annotated),
            "detected": pictures.draw_poses(image, detected),
        }

    def train(self, mode: bool = True) -> "Composite":
        """The network stays in evaluation mode, outside `loss`: a code depends on no batch."""
        super().train(False)
        self.training = mode
        return self

    def load_weights(self, folder: str | Path) -> "Composite":
        """Load what `save` wrote, with its skeleton and the name of its weights.

        Raises:
            BadParameter: If they are another network's, or there are none.
        """
        content = checkpoint.read(str(folder), self.name)
        self._construct(content.skeleton or COCO)
        self._fill(content.state)
        fingerprint = str(content.config.get("fingerprint", ""))
        weights.rename(self, (*_NAMED, str(folder)), fingerprint)
        return self

    @property
    def stride(self) -> int:
        """Pixels between cells."""
        return self.network.cells.stride

    def _compared(self, batch: dict[str, Tensor]) -> tuple[list[list[Pose]], list[list[Pose]]]:
        """The annotated and the detected poses of each image of a batch."""
        image = batch["image"]
        size = (image.shape[2], image.shape[3])
        annotated = []
        for own in zip(batch["intensity"], batch["association"], strict=True):
            target = Targets(*(field.cpu().numpy() for field in own))
            annotated += self.poses(fields.of_targets(target, self.joints, self.stride, size))
        return annotated, self.poses(self.encode(image))

    def _build(self) -> None:
        if self.weights == "published":
            raise WeightsNeeded(
                f"{self.name} needs trained weights, and none are published that may be loaded by "
                "themselves. Pass weights=FOLDER of imrep train, weights=FILE.pkl of OpenPifPaf, "
                "or weights=random."
            )
        if self.weights in _NAMED:
            self._construct(skeletons.read(self.skeleton, self.name))
            return
        content = checkpoint.read(self.weights, self.name)
        self._take(content)
        named = skeletons.read(self.skeleton, self.name)
        self._construct(content.skeleton or named)
        self._fill(content.state)

    def _take(self, content: checkpoint.Content) -> None:
        """Set the parameters that the weights determine.

        Raises:
            BadParameter: If the caller set another value.
        """
        if "spec" in content.config:
            take_saved(self, content.config["spec"], _FIXED)
            return
        defaults = {key: p.default for key, p in self._signature().items()}
        for key, value in content.params.items():
            if getattr(self, key) not in (value, defaults[key]):
                raise BadParameter(
                    f"{self.name} needs {key}={value} for the weights in {self.weights}, got "
                    f"{getattr(self, key)}. Leave it out."
                )
            setattr(self, key, value)

    def _construct(self, skeleton: Skeleton) -> None:
        """A network with random heads, and a random or published backbone."""
        kind = "published" if self.weights == "backbone" else "random"
        if kind == "published" and self.arch in SHAPES:
            raise WeightsNeeded(
                f"{self.name} needs a backbone with published weights, and none of {self.arch} are "
                "hosted alone. Use a network of timm, or weights=random."
            )
        request = Request(self.arch, kind, self.layer, None, "mean", self.name)
        self.joints = skeleton
        self.network, self._mean, self._std = network.build(request, skeleton, self.upsample)
        self.eval()

    def _fill(self, state: dict[str, Tensor]) -> None:
        own = self.network.state_dict()
        self.network.load_state_dict(strict.fit(state, own, self.arch, self.name), strict=False)

    def _padded(self, image: Tensor) -> Tensor:
        """Normalised images, extended by the mean colour to complete cells."""
        like = next(self.network.parameters())
        x = inputs.normalised(
            image, side=None, gray=False, mean=self._mean, std=self._std, dtype=like.dtype
        )
        below, right = (self.network.cells.complete(n)[1] - n for n in x.shape[2:])
        return F.pad(x, (0, right, 0, below))

    def _field_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns of the fields of an image of (height, width)."""
        rows, columns = (self.network.cells.complete(n)[0] for n in size)
        return rows, columns

    def _saved_facts(self) -> dict[str, Any]:
        return {"skeleton": self.joints.facts()}

    def _fingerprint_params(self) -> dict[str, Any]:
        named = (
            self.weights if self.weights in _NAMED else weights.digest(self.network.state_dict())
        )
        names = [name for name, skeleton in skeletons.NAMED.items() if skeleton == self.joints]
        own = names[0] if names else digest(str(self.joints.facts()), size=6)
        return {**self.get_params(), "weights": named, "skeleton": own}

    def _blank_spec(self) -> str:
        params = {**self.get_params(), "weights": "random", "skeleton": "coco"}
        return specs.write(self.name, params)
