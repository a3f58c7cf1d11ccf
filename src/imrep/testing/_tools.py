"""What the questions share: images, fitting, and assertions."""

import torch
from torch import Tensor

from imrep.base import Representation, Supervised
from imrep.types import Image

SIZES = ((64, 64), (48, 80), (71, 53), (33, 37))
"""Heights and widths that every representation must accept, odd and oblong ones among them."""

EXACT = 1e-5  # what "exact" means on a card
SAME = 1e-4  # tolerance for another order of summation


def photo(height: int = 64, width: int = 64, *, batch: int = 2, channels: int = 3) -> Image:
    """Images of smooth blobs, an edge and some noise, the same at every call; within [0.05, 0.95].

    Args:
        height: Rows.
        width: Columns.
        batch: How many; no two are alike.
        channels: 3, or 1 for gray.
    """
    dice = torch.Generator().manual_seed(1000 * height + width)
    blobs = torch.rand(batch, channels, 5, 5, generator=dice)
    smooth = torch.nn.functional.interpolate(
        blobs, (height, width), mode="bicubic", align_corners=False
    )
    smooth[..., width // 3 :] = 0.8 * smooth[..., width // 3 :] + 0.2
    noise = torch.rand(smooth.shape, generator=dice)
    return (0.85 * smooth + 0.15 * noise).clamp(0.05, 0.95)


def extremes(height: int = 40, width: int = 44) -> list[Image]:
    """Images for testing exact inverses: each is the hardest for some algorithm."""
    noise = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(5))
    square = torch.zeros(1, 3, height, width)
    square[..., 12:22, 15:25] = 1
    waves = torch.linspace(0, 3, width).cos() * torch.linspace(0, 2, height).cos()[:, None]
    smooth = (0.5 + 0.45 * waves).expand(1, 3, -1, -1).contiguous()  # as after a wide blur
    flat = [torch.full((1, 3, height, width), level) for level in (0.0, 0.3, 1.0)]
    return [noise, noise.round(), 0.9 + 0.1 * noise, smooth, square, *flat]


def ready(rep: Representation) -> Representation:
    """The representation, fitted where it must be."""
    return fit(rep) if rep.needs_fit else rep


def fit(rep: Representation) -> Representation:
    if isinstance(rep, Supervised):
        rep.fit(photo(32, 32, batch=8), torch.arange(8) % 2)
        return rep
    batches = [photo(*size, batch=4) for size in SIZES]
    rep.fit(batches)  # type: ignore[operator]  # what needs to be fitted has `fit`
    return rep


def embed(rep: Representation, image: Tensor | None = None) -> Tensor:
    with torch.no_grad():
        return ready(rep).embed(photo() if image is None else image)


def require(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def close(actual: Tensor, expected: Tensor, message: str, within: float = SAME) -> None:
    shapes = f"{tuple(actual.shape)}, {tuple(expected.shape)}"
    require(actual.shape == expected.shape, f"{message}: {shapes}")
    largest = float((actual - expected).abs().max())
    scale = max(1.0, float(expected.abs().max()))
    require(largest <= within * scale, f"{message}: by {largest:.2g}")


def equal(x: Tensor, y: Tensor) -> bool:
    return torch.equal(torch.nan_to_num(x), torch.nan_to_num(y))


def says_its_name(rep: Representation, error: Exception) -> None:
    views = getattr(rep, "views", (rep,))  # of a sum, the view that refuses
    names = {rep.name, *(view.name for view in views)}
    named = any(name in str(error) for name in names)
    require(named, f"{rep.spec} does not say its name in: {error}")


def devices() -> list[str]:
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return ["cpu", *(device for device, present in available.items() if present)]


def dtypes(rep: Representation, device: str) -> list[torch.dtype]:
    double = rep.card.dtype == "any" and device != "mps"  # which has no float64
    return [torch.float32, torch.float64] if double else [torch.float32]
