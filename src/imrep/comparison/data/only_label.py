"""Several labels of which one can be tested: the images are then compared as two classes."""

from dataclasses import replace

from imrep.comparison.data.image_collection import ImageCollection
from imrep.comparison.data.multi_label_dataset import MIN_GROUPS_PER_LABEL, LabelSets
from imrep.datasets import Dataset, Item
from imrep.datasets.target import Target
from imrep.plural import several


def only_label(images: ImageCollection) -> str | None:
    """The label, if it is the only one that can be tested."""
    if images.label_sets is None:
        return None
    names = LabelSets.of(images.label_sets).testable(images.groups, images.left_out)
    return names[0] if len(names) == 1 else None


def as_classes(dataset: Dataset, label: str) -> Dataset:
    """The same images as two classes: those that have the label, and those that have not.

    An image whose labels are not known belongs to neither.
    """

    def classified(item: Item) -> Item:
        if item.labels is None:
            return item
        name = label if label in item.labels else f"not {label}"
        return replace(item, label=name, labels=None)

    others = {name for item in dataset.items for name in item.labels or ()} - {label}
    note = f"{label} is the only label to be tested, as a class beside all other images."
    if others:
        note += (
            f" {several(len(others), 'other label is', 'other labels are')} on fewer than "
            f"{MIN_GROUPS_PER_LABEL} images (or groups), or missing from fewer."
        )
    return replace(
        dataset,
        items=tuple(map(classified, dataset.items)),
        all_items=tuple(map(classified, dataset.all_items)),
        notes=(*dataset.notes, note),
        target=Target("class", dataset.target.column),
    )
