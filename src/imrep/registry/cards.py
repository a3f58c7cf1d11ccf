"""What can be said of a representation without importing torch."""

from dataclasses import dataclass
from typing import Literal

Inverse = Literal["exact", "approximate", "none"]


@dataclass(frozen=True, kw_only=True)
class Card:
    """Facts about a representation at its default parameters, written as a literal.

    `catalog` reads the literal from the source with `ast`, so nothing here may be computed. Where a
    parameter changes a fact, the class overrides the property of the same name.

    Args:
        title: Name in prose.
        family: Folder it lives in.
        cite: One line, with DOI or URL.
        inverse: "exact" (to 1e-5, tested), "approximate" (lossy or iterative) or "none".
        differentiable: Whether gradients reach the image, tested.
        dtype: What `encode` keeps: "any" of float32 and float64, or "float32", which both become.
            Other types, half precision among them, are refused by every representation.
        reads: "jpeg" where it also takes the coefficients that a JPEG stores, without decoding
            pixels: it has `encode_jpeg` and `embed_jpeg`.
        weights: Whether learned weights are needed before a code means anything; "included": those
            that are part of imrep; "trained": those that it learns from the user's own images.
        text: Whether `embed_text` shares the images' vector space.
        native: Which library of C kernels it uses where that was built: "kernels" or "jpeg".
        extra: The pip extra that must be present, if any.
        described: Whether `describe` says more of a spec; `imrep card` builds it for that.
        contenders: Specs that `compare` runs where none are requested; empty for the bare name, or
            for none if it has to be trained.
        revision: Raised when the representation's numbers change; part of the fingerprint.
    """

    title: str
    family: str
    cite: str
    inverse: Inverse = "none"
    differentiable: bool = True
    dtype: Literal["any", "float32"] = "any"
    reads: Literal["pixels", "jpeg"] = "pixels"
    weights: Literal["none", "optional", "required", "included", "trained"] = "none"
    text: bool = False
    native: Literal["", "kernels", "jpeg"] = ""
    extra: str | None = None
    described: bool = False
    contenders: tuple[str, ...] = ()
    revision: int = 1
