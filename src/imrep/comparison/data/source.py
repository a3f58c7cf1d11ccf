"""The data set that is compared: found on disk or passed by a program, in the user's groups."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from imrep import datasets
from imrep.comparison.settings import Groups, Inputs
from imrep.datasets import Dataset
from imrep.datasets.dataset import several
from imrep.errors import BadData, BadParameter


def find(inputs: Inputs) -> Dataset:
    """The images with their groups.

    Raises:
        BadData: There are no images, or the groups name none of them.
        BadParameter: A number of images was set for images passed by a program.
    """
    data, groups = inputs.data, inputs.groups
    if not isinstance(data, Dataset):
        table = groups if isinstance(groups, Path) else None
        dataset = datasets.find(
            data,
            groups=table,
            max_items=inputs.max_images,
            seed=inputs.seed,
            target=inputs.target,
        )
        return dataset if groups is None or table else _grouped(dataset, groups)
    if inputs.max_images is not None and inputs.max_images < len(data.items):
        raise BadParameter(
            "compare samples from files alone, got images and max_images. Sample them first."
        )
    return data if groups is None else _grouped(data, groups)


def _grouped(dataset: Dataset, groups: Groups) -> Dataset:
    """The data set with a group of each image, and a note on paths it does not have."""
    strange: list[str] = []
    by_path: Mapping[str, str]
    if isinstance(groups, Path):
        by_path, strange = datasets.groups(dataset.items, groups, "groups")
    else:
        by_path = groups
    items = tuple(replace(item, group=by_path.get(item.path)) for item in dataset.items)
    if all(item.group is None for item in items):
        raise BadData(
            f"groups needs names such as {items[0].path!r}, got {next(iter(by_path), 'none')!r}."
        )
    paths = {item.path for item in items}
    strange += [str(path) for path in by_path if path not in paths]
    note = [several(strange, "path", "of groups not in the data")] if strange else []
    return replace(dataset, items=items, notes=(*dataset.notes, *note))
