"""What GoogLeNet's 1 × 1 convolutions save: multiplications, parameters and time.

python docs/experiments/reductions.py
"""

import time
from typing import NamedTuple

import page
import torch
from page import Record, Results, Spec
from torch import Tensor, nn

from imrep.networks import counting


class Module(NamedTuple):
    """A row of the paper's table: side and channels of the input, channels of the branches."""

    name: str
    side: int
    inputs: int
    one: int  # of the 1 × 1 branch
    three_reduced: int
    three: int
    five_reduced: int
    five: int
    pool: int  # after the 1 × 1 convolution that follows the pooling


_MODULES = (
    Module("3a", 28, 192, 64, 96, 128, 16, 32, 32),
    Module("3b", 28, 256, 128, 128, 192, 32, 96, 64),
    Module("4a", 14, 480, 192, 96, 208, 16, 48, 64),
    Module("4b", 14, 512, 160, 112, 224, 24, 64, 64),
    Module("4c", 14, 512, 128, 128, 256, 24, 64, 64),
    Module("4d", 14, 512, 112, 144, 288, 32, 64, 64),
    Module("4e", 14, 528, 256, 160, 320, 32, 128, 128),
    Module("5a", 7, 832, 256, 160, 320, 32, 128, 128),
    Module("5b", 7, 832, 384, 192, 384, 48, 128, 128),
)
_NETWORKS = ("googlenet", "inception_v3", "resnet50", "resnext50_32x4d", "densenet121")
_FORMS = {"with": "with reductions", "without": "without"}


class Inception(nn.Module):
    """Four branches side by side; `reduced` puts 1 × 1 convolutions before 3 × 3 and 5 × 5."""

    def __init__(self, sizes: Module, reduced: bool) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            [
                _branch(sizes.inputs, 0, sizes.one, 1),
                _branch(sizes.inputs, sizes.three_reduced * reduced, sizes.three, 3),
                _branch(sizes.inputs, sizes.five_reduced * reduced, sizes.five, 5),
                nn.Sequential(nn.MaxPool2d(3, 1, 1), _branch(sizes.inputs, 0, sizes.pool, 1)),
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], 1)


def measure(quick: bool) -> Record:
    """Every module in both forms, on its own."""
    repeats = 2 if quick else 8
    modules = _MODULES[-2:] if quick else _MODULES
    rows = [
        {
            "name": m.name,
            "input": f"{m.inputs} × {m.side} × {m.side}",
            **{form: _figures(m, form == "with", repeats) for form in _FORMS},
        }
        for m in modules
    ]
    totals = {
        form: {key: sum(row[form][key] for row in rows) for key in ("products", "parameters")}
        | {"ms": [sum(times) for times in zip(*(row[form]["ms"] for row in rows), strict=True)]}
        for form in _FORMS
    }
    ratios = {
        key: totals["without"][key] / totals["with"][key] for key in ("products", "parameters")
    }
    pairs = zip(totals["without"]["ms"], totals["with"]["ms"], strict=True)
    ratios["ms"] = [a / b for a, b in pairs]
    naive = [{"name": m.name, "channels": m.one + m.three + m.five + m.inputs} for m in modules]
    networks = [_network(name) for name in _NETWORKS[: len(modules)]]
    return Record(
        {
            "repeats": repeats,
            "modules": rows,
            "totals": totals,
            "ratios": ratios,
            "naive": naive,
            "networks": networks,
        }
    )


def claims(results: Results) -> dict[str, bool]:
    """What the page says in words."""
    ratios = results["ratios"]
    time = page.Interval.of(ratios["ms"])
    return {
        "imrep counts the same": all(
            row["with"]["unreduced"] == row["without"]["products"] for row in results["modules"]
        ),
        "ResNeXt alone does not save": all(
            (row["unreduced"] < row["products"]) == (row["name"] == "resnext50_32x4d")
            for row in results["networks"]
        ),
        "several times fewer products": ratios["products"] > 3,
        "time falls too": time.mean - time.half > 1.5,
        "but less": time.mean + time.half < ratios["products"],
    }


def _branch(inputs: int, reduced: int, outputs: int, side: int) -> nn.Sequential:
    first = [nn.Conv2d(inputs, reduced, 1), nn.ReLU()] if reduced else []
    last = nn.Conv2d(reduced or inputs, outputs, side, padding=side // 2)
    return nn.Sequential(*first, last, nn.ReLU())


def _figures(sizes: Module, reduced: bool, repeats: int) -> Results:
    network, x = Inception(sizes, reduced), torch.rand(1, sizes.inputs, sizes.side, sizes.side)
    with torch.no_grad():
        count = counting.count(network, x)
        times = [_milliseconds(network, x) for _ in range(repeats)]
    return {
        "products": count.total,
        "unreduced": count.unreduced,
        "parameters": sum(p.numel() for p in network.parameters()),
        "ms": times,
    }


def _network(name: str) -> Results:
    """A network of torchvision, by `imrep.networks.counting`."""
    import torchvision

    more = {"init_weights": False, "aux_logits": False} if name in _NETWORKS[:2] else {}
    network = torchvision.models.get_model(name, weights=None, **more).eval()
    count = counting.count(network, torch.rand(1, 3, 224, 224))
    return {
        "name": name,
        "products": count.total,
        "unreduced": count.unreduced,
        "reductions": count.reductions,
        "times": count.unreduced / count.total,
    }


def _milliseconds(network: nn.Module, x: Tensor) -> float:
    """Of the processor, the fastest of five runs."""
    times = []
    for _ in range(5):
        start = time.process_time()
        network(x)
        times.append(time.process_time() - start)
    return 1000 * min(times)


def draw(results: Results) -> dict[str, Spec]:
    """Multiplications of each module in both forms."""
    rows = [
        {"module": row["name"], "form": title, "products": row[form]["products"] / 1e6}
        for row in results["modules"]
        for form, title in _FORMS.items()
    ]
    inks = dict(zip(_FORMS.values(), (page.ACCENT, page.OTHER), strict=True))
    encoding = {
        "x": page.axis("products", "million multiplications", zero=True),
        "y": page.names("module", [m.name for m in _MODULES]),
        "yOffset": {"field": "form", "sort": list(_FORMS.values())},
        "color": page.colours("form", inks, "3 × 3 and 5 × 5 convolutions"),
    }
    return {
        "products": page.chart({"data": {"values": rows}, "mark": "bar", "encoding": encoding}, 360)
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    page.main(__file__, measure, draw, claims)
