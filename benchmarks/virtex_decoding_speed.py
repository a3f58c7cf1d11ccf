"""Captions with and without the cache of keys and values: equal tokens, and the time of each.

python benchmarks/virtex_decoding_speed.py [--rounds 3]

The textual head of width 1024 decodes 30 tokens for eight images by a beam of five, with
random weights, on one core. Without the cache every step computes all words and the image's keys
anew. The methods take turns, and the median of each is printed. Exits with an error where tokens
differ, or the ratio is below 3.
"""

import argparse
import statistics
import time

import torch
from torch import Tensor

from imrep.represent.language.virtex.decoding import beam_search
from imrep.represent.language.virtex.textual import Sizes, TextualHead

SIZES = Sizes(2048, 10000, 30, 1024, 1, 16, 4096, False, 0.1)
_IMAGES, _BEAM, _RATIO = 8, 5, 3.0  # as many images as `imrep caption` decodes together


class Words:
    """All words so far, and the maps that they are of."""

    def __init__(self, maps: Tensor, words: Tensor) -> None:
        self.maps, self.words = maps, words

    def select(self, rows: Tensor) -> "Words":
        maps = self.maps[rows] if len(self.maps) < len(rows) else self.maps
        return Words(maps, self.words[rows])

    def forgetting(self) -> "Words":
        return Words(self.maps, self.words[:, :0])


class Uncached:
    """A textual head that computes every word anew at each step."""

    def __init__(self, head: TextualHead) -> None:
        self.head = head

    def start(self, maps: Tensor) -> Words:
        return Words(maps, torch.empty(len(maps), 0, dtype=torch.long))

    def step(self, tokens: Tensor, progress: Words) -> tuple[Tensor, Words]:
        words = torch.cat([progress.words, tokens[:, None]], 1)
        lengths = torch.full((len(words),), words.shape[1])
        return self.head(progress.maps, words, lengths)[:, -1], Words(progress.maps, words)


def main() -> None:
    parser = argparse.ArgumentParser(description="Captions with and without a cache.")
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    torch.manual_seed(0)
    head = TextualHead(SIZES).eval()
    maps = torch.randn(_IMAGES, SIZES.channels, 7, 7)
    methods = {"with the cache": head, "without": Uncached(head)}
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    tokens = {}
    with torch.no_grad():
        for _ in range(rounds):
            for name, method in methods.items():
                began = time.process_time()
                tokens[name] = beam_search(method, maps, beam=_BEAM).tokens
                seconds[name].append(time.process_time() - began)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    for name, median in medians.items():
        print(f"{name:<16} {1000 * median / _IMAGES:8.1f} ms an image")
    first, second = methods
    ratio = medians[second] / medians[first]
    same = torch.equal(tokens[first], tokens[second])
    print(
        f"{ratio:.1f} times as fast, {'the same' if same else 'OTHER'} tokens {tokens[first].shape}"
    )
    if not same or ratio < _RATIO:
        raise SystemExit(f"needs the same tokens and {_RATIO} times the speed.")


if __name__ == "__main__":
    main()
