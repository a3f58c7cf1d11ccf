"""Every address on the API page exists and is explained."""

import importlib
import re
from pathlib import Path

import pytest

API = Path(__file__).parents[2] / "docs" / "pages" / "api.md"
ADDRESSES = re.findall(r"^::: (\S+)$", API.read_text(encoding="utf-8"), re.M)


def resolve(address):
    """The object, whose module is the longest beginning that can be imported."""
    parts = address.split(".")
    for end in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for name in parts[end:]:
            value = getattr(value, name)
        return value
    raise AssertionError(address)


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_of_the_api_page_exists_and_is_explained(address):
    assert (resolve(address).__doc__ or "").strip()


@pytest.mark.parametrize(
    "name",
    ["bilateral_slice", "bilateral_slice_apply", "bilateral_solver", "convert", "collapse", "otsu"],
)
def test_the_page_lists_it(name):
    assert any(address.endswith(f".{name}") for address in ADDRESSES)
