"""A number with its noun, in the singular or the plural."""


def several(count: float, singular: str, plural: str = "") -> str:
    """1 image, 1,000 images; the default plural is the singular with an s."""
    noun = singular if count == 1 else plural or f"{singular}s"
    return f"{count:,.0f} {noun}"
