"""Collecting tests stays quick: it imports none of the packages that take seconds."""

SLOW = {"matplotlib", "skimage.restoration", "timm", "torch._dynamo", "torchvision"}


def test_collection_imports_nothing_slow(pytestconfig):
    """Import these inside the tests that use them."""
    imported = pytestconfig.imported_by_collection  # by the conftest.py of the root
    assert "pytest" in imported and not SLOW & imported
