"""What can be told of a code without labels: what moves it, what it keeps, how it is shaped."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import torch

from imrep import images
from imrep.assets import REBUILT
from imrep.base import Representation
from imrep.comparison.data.labelled_dataset import Folder
from imrep.comparison.diagnostics import reconstruction, stability
from imrep.comparison.probes.kernel_matrix import Gram
from imrep.comparison.probes.predictions import Coded, joined
from imrep.embedding import cache, encode
from imrep.embedding.decoded_images import Decoded
from imrep.embedding.encode import Encoded
from imrep.errors import BadFile, NoInverse
from imrep.results import PROTOCOL

_NATIVE = 2  # files on which an exact inverse is measured at their own size
_MOST_DB = 200.0  # an error of zero is written so, since results.jsonl holds finite numbers
_BIG = 4_000_000  # pixels: larger files would make the measurement the slowest part of a run


def moves(coded: Coded, folders: Mapping[str, Decoded], device: str, seed: int) -> stability.Moves:
    """Perturb a few images, embed them again and see how far the codes went.

    Args:
        coded: The contender.
        folders: By part's key, the decoded images that this part was encoded from.
        device: Where to embed.
        seed: Of the noise and of where the grey square goes.
    """
    chosen = stability.sample(coded.images, seed)
    parts = [_perturbed(part, folders[part.key], device, seed) for part in coded.parts]
    seen = {name: joined([part[name] for part in parts]) for name in parts[0]}
    return stability.moves(coded.codes(chosen), seen)


@lru_cache(maxsize=4)
def pictures(decoded: Decoded, seed: int) -> dict[str, np.ndarray]:
    """A few of the images under each perturbation; made once for all representations."""
    chosen = stability.sample(len(decoded.items), seed)
    return stability.perturb(np.ascontiguousarray(decoded.squares[chosen]), seed)


def _perturbed(part: Encoded, decoded: Decoded, device: str, seed: int) -> dict[str, np.ndarray]:
    """Codes of the perturbed images, from the cache where they are."""
    digest = cache.key("perturbed", PROTOCOL, part.key, seed)
    path = cache.folder("perturbed", digest) / "codes.npz"
    if (stored := cache.read_arrays(path)) is not None:
        return stored
    changed = pictures(decoded, seed)
    together = encode.embed(part.rep, np.concatenate(list(changed.values())), device)
    codes = dict(zip(changed, np.split(together, len(changed)), strict=True))
    cache.write_arrays(path, **codes)
    return codes


def kept(coded: Coded, folder: Folder, gram: Gram) -> reconstruction.Kept | None:
    """What a linear decoder rebuilds; None where there is one group only. `gram` is of `few`."""
    digest = cache.key(
        "kept",
        PROTOCOL,
        [part.key for part in coded.parts],
        folder.decoded.key,
        folder.groups[folder.few].tolist(),
        folder.few.tolist(),
        folder.seed,
    )
    path = cache.folder("kept", digest) / "kept.npz"
    stored = cache.read_arrays(path)
    if stored is None:
        chosen = reconstruction.sample(folder.groups[folder.few], folder.seed)
        if chosen is None:
            return None
        found = reconstruction.kept(gram, _targets(folder), chosen, folder.seed)
        stored = {
            "numbers": np.array([found.kept, found.detail, found.psnr]),
            "reconstructions": found.reconstructions,
        }
        cache.write_arrays(path, **stored)
    share, detail, psnr = stored["numbers"].tolist()
    return reconstruction.Kept(share, detail, psnr, stored["reconstructions"])


def originals(folder: Folder) -> np.ndarray:
    """The pictures that `kept` rebuilds, uint8 (7, 32, 32, 3)."""
    chosen = reconstruction.sample(folder.groups[folder.few], folder.seed)
    if chosen is None:
        return np.zeros((0, reconstruction.SIDE, reconstruction.SIDE, 3), np.uint8)
    shown = _targets(folder)[chosen.test[:REBUILT]]
    return (shown * 255).round().astype(np.uint8)


@lru_cache(maxsize=1)
def _targets(folder: Folder) -> np.ndarray:
    """The images of `few` at 32 × 32, float32 in [0, 1]: what a linear decoder is to rebuild."""
    return reconstruction.target(folder.decoded.squares[folder.few])


def exact(
    rep: Representation, decoded: Decoded, device: str, reading: images.Reading
) -> float | None:
    """PSNR in dB of an exact inverse on a few files at their own size; None where there is none."""
    if rep.inverse != "exact":
        return None
    found: list[float] = []
    for item, facts in zip(decoded.items, decoded.facts, strict=True):
        if facts.width * facts.height <= _BIG and len(found) < _NATIVE:
            try:
                image = images.read(item.read(), **reading.keywords).to(device)
                with torch.inference_mode():
                    again = rep.invert(rep.encode(image))
            except (BadFile, NoInverse):
                continue
            error = float((again - image).double().square().mean())
            found.append(min(_MOST_DB, -10 * float(np.log10(max(error, 1e-30)))))
    return float(np.mean(found)) if found else None
