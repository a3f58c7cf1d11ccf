"""The representation that a spec names, untrained, for the data at hand."""

import torch

from imrep import factory
from imrep.base import Learned
from imrep.datasets import Dataset
from imrep.errors import BadData, BadParameter
from imrep.registry import catalog, specs
from imrep.types import Progress

_MIN_CLASSES = 2


def build(spec: str, dataset: Dataset, seed: int) -> Learned:
    """The representation, with random weights unless the spec or its folder has others.

    Raises:
        BadParameter: It has no weights to train.
        BadData: Its loss needs classes, and the data has none.
        UnknownName: Nothing has that name.
    """
    views = catalog.parse(spec)
    if len(views) > 1:
        raise BadParameter(
            f"train needs one representation, got the sum {spec}. Train its views one by one."
        )
    name, texts = views[0]
    torch.manual_seed(seed)
    defaults: dict[str, object] = {}
    if not catalog.is_saved(name):
        parameters = {p.name: p.default for p in catalog.entry(name).parameters}
        if "weights" not in texts and parameters.get("weights") == "published":
            cls = factory.class_of(name)
            defaults["weights"] = getattr(cls, "first_weights", "random")
        if "classes" not in texts and "classes" in parameters and dataset.labelled:
            defaults["classes"] = len(dataset.classes)
        if dataset.annotations is not None:
            named = dataset.annotations.parameters.items()
            defaults |= {key: value for key, value in named if key not in texts}
    return checked(factory.get(spec, **defaults), dataset)


def annotated(
    representation: object, data: str, progress: Progress | None = None
) -> Dataset | None:
    """The images at a path with their annotations, where a representation learns from such.

    Args:
        representation: A spec, or one that was built.
        data: The path.
        progress: Called as annotations are checked, where that takes long.

    Raises:
        BadData: The annotations are wrong.
        UnknownName: Nothing has the name of the spec.
    """
    cls = type(representation)
    if isinstance(representation, str):
        name = catalog.parse(representation)[0][0]
        if catalog.is_saved(name):
            name = specs.parse(catalog.saved_config(name)["spec"])[0][0]
        if name not in catalog.names():  # of a script, whose class is not known by its name alone
            return None
        cls = factory.class_of(name)
    return cls.annotated(data, progress) if issubclass(cls, Learned) else None


def checked(rep: object, dataset: Dataset) -> Learned:
    """A representation that these data can train, in training mode.

    Raises:
        BadParameter: It has no weights to train.
        BadData: Its loss needs classes, and the data has fewer than two.
    """
    if not isinstance(rep, Learned):
        name = getattr(rep, "spec", type(rep).__name__)
        raise BadParameter(
            f"train needs a representation that learns from a loss, got {name}. "
            "`imrep list` shows those of the family learned."
        )
    rep.train()  # in evaluation, some have no gradients
    if not any(p.requires_grad for p in rep.parameters()):
        raise BadParameter(
            f"train needs weights with a gradient, got none in {rep.spec}. `imrep card {rep.name}` "
            "says what its parameters train."
        )
    if rep.reads_labels and not (dataset.labelled and len(dataset.classes) >= _MIN_CLASSES):
        count = len(dataset.classes)
        raise BadData(
            f"{rep.name} needs images of two classes or more, got {count or 'none'} in "
            f"{dataset.name}. Put each class in a folder of its own, or list them in a split.csv."
        )
    return rep
