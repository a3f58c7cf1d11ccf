"""Questions about what leads back from a code: gradient, inverse, picture."""

import copy
import math

import torch
from torch import Tensor

from imrep.base import Representation
from imrep.codes import Code
from imrep.errors import NoInverse
from imrep.testing._tools import EXACT, SIZES, close, extremes, photo, ready, require, says_its_name
from imrep.types import Image


def gradient_as_the_property_says(rep: Representation) -> None:
    """Finite and not all zero where `differentiable`, finite at a flat image; absent elsewhere."""
    rep = ready(rep)
    slope = _slope(rep, photo())
    if not rep.differentiable:
        absent = slope is None or not bool(slope.any())
        require(absent, f"{rep.spec} has a gradient, though it is not differentiable")
        return
    if slope is None:
        raise AssertionError(
            f"{rep.spec} cuts the gradient, though its card has differentiable=True, the default"
        )
    require(bool(slope.isfinite().all()), f"{rep.spec} has a gradient that is not finite")
    require(bool(slope.any()), f"{rep.spec} has a gradient of zero")
    flat = _slope(rep, torch.full((1, 3, 64, 64), 0.5))
    finite = flat is None or bool(flat.isfinite().all())
    require(finite, f"{rep.spec} has a gradient that is not finite at a flat image")


def inverse_as_the_property_says(rep: Representation) -> None:
    """Exact to 1e-5; approximate: shape, range, a code closer than a flat image's; or none."""
    rep = ready(rep)
    if rep.inverse == "none":
        try:
            rep.invert(rep.encode(photo()))
        except NoInverse as error:
            says_its_name(rep, error)
            return
        raise AssertionError(f"{rep.spec} inverts, though its card says none")
    sizes = SIZES if rep.inverse == "exact" else SIZES[:2]
    for height, width in sizes:
        for channels in (3, 1):
            _inverts(rep, photo(height, width, channels=channels, batch=1))
    for image in extremes() if rep.inverse == "exact" else ():
        _inverts(rep, image)


def picture_is_a_picture(rep: Representation) -> None:
    """RGB in [0, 1], one per image, without gradient, not blank; alone and over the image."""
    rep = ready(rep)
    image = photo(48, 80).requires_grad_()
    code = rep.encode(image)
    for picture in (rep.picture(code), rep.picture(code, image)):
        require(
            picture.ndim == 4 and tuple(picture.shape[:2]) == (2, 3),
            f"{rep.spec} draws {tuple(picture.shape)}, not (2, 3, rows, columns)",
        )
        low, high = float(picture.detach().min()), float(picture.detach().max())
        require(0 <= low <= high <= 1, f"{rep.spec} draws values from {low:.4g} to {high:.4g}")
        blank = bool((picture.flatten(1).std(1) <= 0.01).any())
        require(not blank, f"{rep.spec} draws a blank picture")
    require(not rep.picture(code).requires_grad, f"{rep.spec} draws with a gradient attached")


def _slope(rep: Representation, image: Tensor) -> Tensor | None:
    """Gradient of a random projection of the code and of the vector; None where there is none."""
    image = image.clone().requires_grad_()
    code: Code = rep.encode(image)
    dice = torch.Generator().manual_seed(0)
    total = image.new_zeros(())
    for tensor in (*code.tensors().values(), rep.pool(code)):
        real = torch.view_as_real(tensor) if tensor.is_complex() else tensor
        if real.requires_grad:
            total = total + (real * torch.randn(real.shape, generator=dice)).sum()
    if not total.requires_grad:
        return None
    return torch.autograd.grad(total, image, allow_unused=True)[0]


def _inverts(rep: Representation, image: Tensor) -> None:
    rebuilt = copy.deepcopy(rep).invert(rep.encode(image)).detach()
    size = "×".join(map(str, image.shape[1:]))
    if rep.inverse == "exact":
        close(rebuilt, image, f"{rep.spec} is not inverted exactly at {size}", within=EXACT)
        return
    shapes = image.shape, image.expand(-1, 3, -1, -1).shape  # gray may come back as three channels
    require(rebuilt.shape in shapes, f"{rep.spec} inverts {size} to {tuple(rebuilt.shape[1:])}")
    low, high = float(rebuilt.min()), float(rebuilt.max())
    require(-EXACT <= low <= high <= 1 + EXACT, f"{rep.spec} inverts to {low:.4g} … {high:.4g}")
    flat = image.mean((2, 3), keepdim=True).expand_as(image)
    closer = _distance(rep, rebuilt, image) < _distance(rep, flat, image)
    require(closer, f"{rep.spec} inverts {size} to a code farther off than a flat image's")


def _distance(rep: Representation, rebuilt: Image, image: Image) -> float:
    """Distance between the codes of two images."""
    with torch.no_grad():
        a, b = rep.encode(rebuilt.clamp(0, 1)).tensors(), rep.encode(image).tensors()
    return math.hypot(*(float((a[key] - b[key]).abs().double().norm()) for key in a))
