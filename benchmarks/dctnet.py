"""Learning in the frequency domain: epoch time, accuracy, and what the gate selects.

    python benchmarks/dctnet.py epoch           straight from JPEG beside decoding and transforming
    python benchmarks/dctnet.py accuracy        frequencies beside pixels, two sets, three seeds
    python benchmarks/dctnet.py accuracy --quick --seeds 1      a look at it, in minutes
    python benchmarks/dctnet.py gate            labels planted in one frequency, five positions

`accuracy` writes every measurement as it comes to --out (else $OUT or build/) and goes on where it
was interrupted. `epoch` ends with 1 where reading 24 frequencies is not at least twice as fast,
`gate` where the planted frequency is not what was selected.
"""

import argparse
import sys
from pathlib import Path

import dctnet_accuracy
import dctnet_epoch
import dctnet_gate
import partial_results
import torch

import imrep


def gate(steps: int, pictures: Path | None) -> bool:
    """Print a table; whether the gate selected each planted frequency alone."""
    print("| planted | selected | its share | next share | accuracy, % |")
    print("|:--|:--|--:|--:|--:|")
    alone = True
    for plane, v, u in dctnet_gate.POSITIONS:
        index = 64 * plane + 8 * v + u
        rep = dctnet_gate.train(index, steps)
        shares, selected = rep.shares(), rep.selected()
        others = torch.cat([shares[:index], shares[index + 1 :]])
        cells = [
            name(index),
            ", ".join(map(name, selected[:6])) + (" …" if len(selected) > 6 else ""),
            f"{float(shares[index]):.2f}",
            f"{float(others.max()):.2f}",
            f"{100 * dctnet_gate.accuracy(rep, index):.1f}",
        ]
        print("| " + " | ".join(cells) + " |", flush=True)
        alone &= selected == (index,)
        if pictures:
            imrep.write(pictures / f"gate-{name(index)}.png", rep.heat_maps())
    return alone


def name(index: int) -> str:
    """A frequency: plane, vertical, horizontal."""
    return f"{('Y', 'Cb', 'Cr')[index // 64]}{index % 64 // 8}{index % 8}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    timed = commands.add_parser("epoch")
    timed.add_argument("--rounds", type=int, default=9)
    timed.add_argument("--files", type=int, default=32)
    measured = commands.add_parser("accuracy")
    measured.add_argument("--out", type=Path, default=partial_results.default("dctnet"))
    measured.add_argument("--seeds", type=int, default=3)
    measured.add_argument("--quick", action="store_true", help="a sixteenth of the epochs")
    planted = commands.add_parser("gate")
    planted.add_argument("--steps", type=int, default=300)
    planted.add_argument("--pictures", type=Path, help="write the heat maps into this folder")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.command == "epoch":
        sys.exit(not dctnet_epoch.run(options.rounds, options.files))
    if options.command == "gate":
        sys.exit(not gate(options.steps, options.pictures))
    dctnet_accuracy.run(options.out, options.seeds, options.quick)


if __name__ == "__main__":
    main()
