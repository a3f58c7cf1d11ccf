"""Coefficients of luma and chroma, whatever the colour space of the file."""

from pathlib import Path

import torch
from torch import Tensor

from imrep.codes import Spectrum
from imrep.errors import BadFile
from imrep.jpeg import Facts, spectrum
from imrep.ops.colour import to_ycbcr

_PLANES = {"gray": 1, "YCbCr": 3, "RGB": 3}  # by colour space of the file


def read(source: str | Path | bytes, caller: str) -> Spectrum:
    """All coefficients of Y, or of Y, Cb and Cr, of a JPEG: upright, chroma as sampled there.

    Args:
        source: A path, or the bytes of a file; gray, YCbCr at any sampling, or RGB.
        caller: The name that messages start with.

    Raises:
        BadFile: As `spectrum` does; truncated; CMYK; or RGB at several samplings.
        ExtraNeeded: imrep was built without libjpeg-turbo.
    """
    code, facts = spectrum(source)
    return Spectrum(_luma_and_chroma(code, facts, caller), code.size, code.sampling)


def _luma_and_chroma(code: Spectrum, facts: Facts, caller: str) -> tuple[Tensor, ...]:
    """Y, or Y, Cb and Cr; RGB is converted in the frequency domain, as both are linear."""
    planes = tuple(code.values)
    if not facts.complete:
        raise BadFile(
            f"{facts.name} needs to be complete for {caller}, got {max(facts.complete_rows)} "
            f"complete rows of blocks ({facts.remark or 'scans are missing'}). Copy it again."
        )
    if len(planes) != _PLANES.get(facts.space):
        raise BadFile(
            f"{facts.name} needs gray, YCbCr or RGB planes for {caller}, got {len(planes)} planes "
            f"({facts.space}). Use encode(imrep.read(path))."
        )
    if facts.space != "RGB":
        return planes
    if code.sampling:
        raise BadFile(
            f"{facts.name} needs red, green and blue sampled alike for {caller}, got "
            f"{facts.sampling}. Use encode(imrep.read(path))."
        )
    mixed = to_ycbcr(torch.cat([plane.flatten(1, 3) for plane in planes]).unsqueeze(0))
    return tuple(mixed[:, p].view_as(planes[p]) for p in range(3))
