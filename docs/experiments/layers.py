"""A fully connected, a locally connected and a convolutional layer that make maps of one size.

python docs/experiments/layers.py
"""

import itertools
from functools import partial

import page
import torch
import torch.nn.functional as F
from page import Record, Results, Spec
from torch import Tensor, nn

_MAPS, _SIDE, _KERNEL = 8, 8, 3  # channels of the layer, pixels of a digit, pixels of a filter
_OUT = _SIDE - _KERNEL + 1
_TITLES = {"full": "fully connected", "local": "locally connected", "convolution": "convolution"}
_INKS = (page.OTHER, page.SECOND, page.ACCENT)
_PUBLISHED = (  # name, channels and side of the input, of the output, side of a filter
    ("LeNet-5, first layer", 1, 32, 6, 28, 5),
    ("AlexNet, first layer", 3, 227, 96, 55, 11),
    ("VGG-16, second layer", 64, 224, 64, 224, 3),
    ("ResNet-50, last 3 × 3", 512, 7, 512, 7, 3),
)


class Local(nn.Module):
    """A convolution whose filters differ from position to position."""

    def __init__(self, channels: int, maps: int, kernel: int, out: int) -> None:
        super().__init__()
        scale = (kernel * kernel * channels) ** -0.5
        weight = torch.empty(out * out, maps, kernel * kernel * channels)
        self.weight = nn.Parameter(weight.uniform_(-scale, scale))
        self.bias = nn.Parameter(torch.empty(maps, out, out).uniform_(-scale, scale))
        self.kernel = kernel

    def forward(self, x: Tensor) -> Tensor:
        patches = F.unfold(x, self.kernel)
        maps = torch.einsum("bip,pmi->bmp", patches, self.weight)
        return maps.view(len(x), *self.bias.shape) + self.bias


def layer(name: str) -> nn.Module:
    """From (b, 1, 8, 8) to (b, 8, 6, 6)."""
    if name == "convolution":
        return nn.Conv2d(1, _MAPS, _KERNEL)
    if name == "local":
        return Local(1, _MAPS, _KERNEL, _OUT)
    shape = (_MAPS, _OUT, _OUT)
    full = nn.Linear(_SIDE * _SIDE, _MAPS * _OUT * _OUT)
    return nn.Sequential(nn.Flatten(), full, nn.Unflatten(1, shape))


def parameters(module: nn.Module) -> int:
    """How many numbers are learned."""
    return sum(p.numel() for p in module.parameters())


def measure(quick: bool) -> Record:
    """Parameters by formula and by count, and accuracy on digits for few and many labels."""
    counts, seeds, steps = ((50, 100), 2, 3) if quick else ((50, 100, 200, 400, 900), 10, 400)
    keys = list(itertools.product(_TITLES, counts))
    jobs = [partial(_trials, name, count, seeds, steps) for name, count in keys]
    figures = dict(zip(keys, page.in_parallel(jobs), strict=True))
    results: Results = {
        "seeds": seeds,
        "steps": steps,
        "counts": list(counts),
        "published": [_published(*sizes) for sizes in _PUBLISHED],
        "layers": {
            name: {
                "title": title,
                "parameters": parameters(layer(name)),
                "accuracy": [figures[name, count][0] for count in counts],
                "shifted": [figures[name, count][1] for count in counts],
            }
            for name, title in _TITLES.items()
        },
    }
    return Record(results)


def claims(results: Results) -> dict[str, bool]:
    """What the page says in words."""
    layers, counts = results["layers"], range(len(results["counts"]))

    def gains(field: str) -> list[page.Interval]:
        """Of the convolution over both others, for every number of labels."""
        pairs = [
            (layers["convolution"][field][i], layers[other][field][i])
            for other in ("full", "local")
            for i in counts
        ]
        return [page.Interval.of(page.difference(*pair)) for pair in pairs]

    few_parameters = layers["convolution"]["parameters"] * 10 < layers["local"]["parameters"]
    return {
        "fewer by more than a factor of ten": few_parameters,
        "centred digits: a little worse": all(
            -4 < g.mean < g.mean + g.half < 0 for g in gains("accuracy")
        ),
        "shifted digits: much better": all(g.mean - g.half > 2 for g in gains("shifted")),
    }


def _published(name: str, c: int, side: int, maps: int, out: int, kernel: int) -> Results:
    """Parameters with biases, a bias for each number of the map where weights are not shared."""
    values, inputs = maps * out * out, kernel * kernel * c
    return {
        "name": name,
        "map": f"{maps} × {out} × {out}",
        "full": values * (c * side * side + 1),
        "local": values * (inputs + 1),
        "convolution": maps * (inputs + 1),
        "products": values * inputs,
    }


def _trials(name: str, count: int, seeds: int, steps: int) -> list[list[float]]:
    """Accuracies in percent of every seed, and those on digits shifted by a pixel."""
    trials = [_trial(name, count, seed, steps) for seed in range(seeds)]
    return [list(values) for values in zip(*trials, strict=True)]


def _trial(name: str, count: int, seed: int, steps: int) -> tuple[float, float]:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(pixels / 16).float().view(-1, 1, 8, 8), torch.tensor(labels)
    rows = range(len(y))
    learn, test = train_test_split(
        rows, train_size=count, test_size=897, stratify=labels, random_state=seed
    )
    torch.manual_seed(seed)
    pooled = nn.Sequential(nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(_MAPS * 9, 10))
    network = nn.Sequential(layer(name), pooled)
    optimiser = torch.optim.Adam(network.parameters(), 0.01, weight_decay=1e-4)
    for _ in range(steps):
        batch = torch.tensor(learn)[torch.randint(len(learn), (64,))]
        optimiser.zero_grad()
        F.cross_entropy(network(x[batch]), y[batch]).backward()
        optimiser.step()

    def accuracy(images: Tensor) -> float:
        return 100 * float((network(images).argmax(1) == y[test]).float().mean())

    with torch.no_grad():
        moved = [accuracy(x[test].roll(shift, 3)) for shift in (-1, 1)]
        return accuracy(x[test]), sum(moved) / 2


def draw(results: Results) -> dict[str, Spec]:
    """Accuracy by number of labels, on centred and on shifted digits."""
    titles = {"accuracy": "centred digits", "shifted": "shifted by a pixel"}
    panels = [
        {**_panel(results, key), "title": title, "width": page.WIDTH - 80, "height": 170}
        for key, title in titles.items()
    ]
    return {"accuracy": page.chart({"vconcat": panels, "spacing": 20})}


def _panel(results: Results, key: str) -> Spec:
    layers, counts = results["layers"].values(), results["counts"]
    rows = [row for each in layers for row in page.curve(each["title"], counts, each[key])]
    inks = dict(zip((each["title"] for each in layers), _INKS, strict=True))
    x = page.axis("x", "labels", log=True, at=counts)
    return page.lines(rows, inks, x, page.axis("y", "accuracy, %"))


if __name__ == "__main__":
    page.main(__file__, measure, draw, claims)
