"""CLIP from scratch on a hundred photographs with captions: does it learn them by heart?

    python benchmarks/clip_overfit.py [--steps 80]

A small model is trained on 100 pairs of the captioned photographs (IMREP_DATA), with the first
caption of each. Recall of these pairs both ways has to reach 95 %; that of other photographs,
of which nothing can be learned from so few, is printed beside chance.
"""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from clip_world import trained, vectors
from numpy.typing import NDArray

import imrep
from imrep import images
from imrep.datasets import captions
from imrep.represent.language.clip import retrieval

DATA = Path(os.environ.get("IMREP_DATA", "../shared/data"))
SETS = ("captions/flickr8k_a", "coco_mini_train")
SPEC = "clip:arch=small,weights=random"
PAIRS = 100
_RECALL = 0.95


@dataclass(frozen=True)
class Photographs:
    """Photographs, (n, side, side, 3) of uint8, and a caption of each."""

    images: NDArray[np.uint8]
    captions: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.captions)


def photographs(side: int) -> Photographs:
    """All that have captions, in random order."""
    pixels, texts = [], []
    for name in SETS:
        dataset = captions.find(DATA / name)
        for item in dataset.items:
            pixels.append(images.square(item.read(), side)[0])
            texts.append(dataset.annotations.of(item.path)[0])
    order = np.random.default_rng(0).permutation(len(texts))
    return Photographs(np.stack(pixels)[order], tuple(texts[i] for i in order))


@torch.no_grad()
def recalls(clip: imrep.Representation, pairs: Photographs) -> dict[str, float]:
    """Recall both ways."""
    texts, ids = clip.embed_text(pairs.captions), clip.tokenizer.ids(pairs.captions, "clip")
    return retrieval.evaluation(vectors(clip, pairs), texts, ids).numbers


def main() -> None:
    parser = argparse.ArgumentParser(description="CLIP learns a hundred pairs by heart.")
    parser.add_argument("--steps", type=int, default=80)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    own = photographs(imrep.get(SPEC).canvas)
    learned = Photographs(own.images[:PAIRS], own.captions[:PAIRS])
    others = Photographs(own.images[PAIRS:], own.captions[PAIRS:])
    clip, seconds = trained(SPEC, learned, arguments.steps)
    known, unknown = recalls(clip, learned), recalls(clip, others)
    print(f"{SPEC}: {arguments.steps} steps, {seconds:.0f} s of one core")
    print(f"                          {len(learned)} learned   {len(others)} others   their chance")
    for name, value in known.items():
        chance = int(name.rpartition("@")[2]) / len(others)
        print(f"{name:<22} {value:14.3f} {unknown[name]:12.3f} {chance:14.3f}")
    if min(value for name, value in known.items() if name.endswith("@1")) < _RECALL:
        raise SystemExit(f"needs a recall at 1 of {_RECALL} of the pairs that it has learned.")


if __name__ == "__main__":
    main()
