"""What a comparison costs beyond judging: suspects, probabilities, cues, audit, saved classifier.

    python benchmarks/beyond_judge.py                         1,000 images, nineteen representations
    python benchmarks/beyond_judge.py --images 300 --network  fewer, and a pretrained network

Processor seconds of every stage (threads and children included), on one thread and with a fresh
cache, so that nothing is reused. The judge is the rest: reading, encoding, judging, learning
curves, the combination, reconstruction and robustness, the report. Asked: at most 50 s beyond it,
without a network.
Needs the shared data (IMREP_DATA).
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from compare_speed import cpu
from encoded_sets import REPRESENTATIONS, shared

from imrep.comparison import protocol
from imrep.comparison.output import gallery, pick, pictures, suspects
from imrep.comparison.settings import Inputs, Settings

LIMIT = 50.0
NETWORK = "cnn:arch=tf_efficientnet_lite0"
STAGES = {  # what: where it is called, under which names
    "suspects": ((protocol, "find_suspects"),),
    "probabilities": ((protocol, "answer"),),
    "cues": ((protocol, "find_cues"),),
    "image quality": ((protocol, "_quality"), (pictures, "examples")),
    "images to look at": ((suspects, "remarks"),),
    "pick": ((pick, "save"),),
    "saved classifier": ((protocol, "save"),),
}
JUDGE = {
    "judging": ((protocol, "classify"),),
    "learning curves": ((protocol, "learning_curves"),),
    "combination": ((protocol, "put_together"),),
    "reconstruction and robustness": ((protocol, "_measure"),),
    "neighbours and maps": ((gallery, "_related"),),
}


@contextmanager
def measured(stages: dict[str, Any], spent: dict[str, float]) -> Iterator[None]:
    """Add up the processor seconds of these functions."""
    replaced = []

    def timed(what: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*words: Any, **named: Any) -> Any:
            before = cpu()
            try:
                return function(*words, **named)
            finally:
                spent[what] = spent.get(what, 0.0) + cpu() - before

        return call

    for what, places in stages.items():
        for module, name in places:
            replaced.append((module, name, getattr(module, name)))
            setattr(module, name, timed(what, getattr(module, name)))
    try:
        yield
    finally:
        for module, name, function in replaced:
            setattr(module, name, function)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", default="eurosat")
    parser.add_argument("--images", type=int, default=1_000)
    parser.add_argument("--network", action="store_true")
    chosen = parser.parse_args()
    specs = (*REPRESENTATIONS, *((NETWORK,) if chosen.network else ()))
    spent: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name, measured(STAGES | JUDGE, spent):
        root = Path(name)
        os.environ["IMREP_CACHE"] = str(root / "cache")
        inputs = Inputs(
            data=str(shared() / "classification" / chosen.set),
            specs=specs,
            max_images=chosen.images,
        )
        settings = Settings(out=root / "report", threads=1, readers=1, save=root / "model")
        before = cpu()
        protocol.run(inputs, settings, lambda what, done, total: None)
        total = cpu() - before
    for what in STAGES:
        print(f"{what:30} {spent.get(what, 0):6.1f} s")
    beyond = sum(spent.get(what, 0) for what in STAGES)
    print(f"{'beyond the judge':30} {beyond:6.1f} s")
    for what in JUDGE:
        print(f"{what:30} {spent.get(what, 0):6.1f} s")
    print(f"{'everything':30} {total:6.1f} s")
    if not chosen.network:
        assert beyond <= LIMIT, f"{beyond:.1f} s beyond the judge, {LIMIT:.0f} s are asked"


if __name__ == "__main__":
    main()
