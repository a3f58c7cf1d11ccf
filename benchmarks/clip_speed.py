"""CLIP's towers beside open_clip's own functions: images and texts a second.

    python benchmarks/clip_speed.py [--arch ViT-B-32-quickgelu] [--batch 8] [--rounds 7]

Random weights, one thread; rounds are interleaved, and the ratio is that of the medians. The
vectors are asserted to be equal. Images come as floats in [0, 1] of the model's side, and both
normalise them. Texts of a few words are read up to the end of the longest, where open_clip
computes all 77 positions. Exits with an error if images take longer than by open_clip.
"""

import argparse
import logging
import time
from collections.abc import Callable
from statistics import median

import torch
from torchvision.transforms.functional import normalize

import imrep

_TOLERATED = 0.97  # ratio of throughputs: that of two equal functions varies by so much
_WORDS = [f"a photo of {i} {thing}" for i in range(8) for thing in ("cats", "old dogs", "trees")]


def interleaved(functions: dict[str, Callable[[], torch.Tensor]], rounds: int) -> dict[str, float]:
    """The median processor time of each, in seconds: other load on the machine matters less."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for i in range(rounds + 1):
        for name, function in functions.items():
            began = time.process_time()
            function()
            if i:  # the first round warms up
                times[name].append(time.process_time() - began)
    return {name: median(own) for name, own in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="CLIP's towers beside open_clip's own functions.")
    parser.add_argument("--arch", default="ViT-B-32-quickgelu")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    import open_clip

    torch.set_num_threads(1)
    logging.disable()  # of random weights
    clip = imrep.get(f"clip:arch={arguments.arch},weights=random")
    peer = open_clip.create_model(arguments.arch).eval()
    peer.load_state_dict(clip.network.state_dict())
    tokenize = open_clip.get_tokenizer(arguments.arch)
    image = torch.rand(arguments.batch, 3, clip.canvas, clip.canvas)
    mean, std = list(clip.configuration.mean), list(clip.configuration.std)
    with torch.inference_mode():
        parts = {
            "images": {
                "imrep": lambda: clip.embed(image),
                "open_clip": lambda: peer.encode_image(normalize(image, mean, std), normalize=True),
            },
            "texts": {
                "imrep": lambda: clip.embed_text(_WORDS),
                "open_clip": lambda: peer.encode_text(tokenize(_WORDS), normalize=True),
            },
        }
        ratios = {}
        for name, functions in parts.items():
            own, other = (function() for function in functions.values())
            torch.testing.assert_close(own, other, atol=1e-5, rtol=1e-4)
            times = interleaved(functions, arguments.rounds)
            ratios[name] = times["open_clip"] / times["imrep"]
            speeds = {key: len(own) / seconds for key, seconds in times.items()}
            print(
                f"{arguments.arch} {name}/s: imrep {speeds['imrep']:.1f}, "
                f"open_clip {speeds['open_clip']:.1f}, ratio {ratios[name]:.2f}"
            )
    if ratios["images"] < _TOLERATED:
        raise SystemExit("needs images to be embedded at least as fast as by open_clip.")


if __name__ == "__main__":
    main()
