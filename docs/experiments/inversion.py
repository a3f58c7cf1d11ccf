"""What each stage of a network keeps of an image: its inverse by gradient, trained and random.

python docs/experiments/inversion.py
"""

from functools import partial

import page
from page import Record, Results, Spec
from torch import Tensor

_PHOTOGRAPHS = ("chelsea", "coffee", "astronaut", "rocket", "flower")
_SIDE, _STAGES = 96, 5  # pixels of an image; stages of the network
_WEIGHTS = {"trained": "", "random": ",weights=random"}
_TITLES = {"trained": "pretrained on ImageNet", "random": "random weights"}


def measure(quick: bool) -> Record:
    """Every stage on every photograph, with both weights."""
    names, steps = (_PHOTOGRAPHS[:2], 2) if quick else (_PHOTOGRAPHS, 80)
    keys = [(w, stage, name) for w in _WEIGHTS for stage in range(_STAGES) for name in names]
    inversions = page.in_parallel([partial(_inverted, *key, steps) for key in keys])
    figures = dict(zip(keys, inversions, strict=True))
    results: Results = {
        "photographs": len(names),
        "steps": steps,
        "shapes": [figures["trained", stage, names[0]][3] for stage in range(_STAGES)],
        "weights": {
            w: {
                "title": title,
                **{
                    measure: [
                        [figures[w, stage, name][i] for name in names] for stage in range(_STAGES)
                    ]
                    for i, measure in enumerate(("psnr", "ssim"))
                },
            }
            for w, title in _TITLES.items()
        },
    }
    pictures = {
        f"{w}-{stage}": figures[w, stage, names[0]][2] for w in _WEIGHTS for stage in range(_STAGES)
    }
    return Record(results, {"original": _image(names[0]), **pictures})


def claims(results: Results) -> dict[str, bool]:
    """What the page says in words."""
    ssim = results["weights"]["trained"]["ssim"]
    falls = [page.Interval.of(page.difference(ssim[a], ssim[b])) for a, b in ((0, 2), (2, 4))]
    return {"the deeper, the less is kept": all(fall.mean - fall.half > 0 for fall in falls)}


def _image(name: str) -> Tensor:
    """The middle square of a photograph."""
    from imrep.ops.resize import square

    image = page.photograph(name, gray=False)
    side = min(image.shape[2:])
    top, left = ((n - side) // 2 for n in image.shape[2:])
    return square(image[..., top : top + side, left : left + side], _SIDE).clamp(0, 1)


def _inverted(weights: str, stage: int, name: str, steps: int) -> tuple[float, float, Tensor, str]:
    """PSNR in dB, SSIM, the image, and the size of the code."""
    import imrep

    rep = imrep.get(f"cnn:arch=tf_efficientnet_lite0,layer={stage}{_WEIGHTS[weights]}")
    image = _image(name)
    shape = rep.encode(image).values.shape[1:]
    result = imrep.invert(image, rep, iterations=steps, seed=0)
    return result.psnr, result.ssim, result.image, " × ".join(map(str, shape))


def draw(results: Results) -> dict[str, Spec]:
    """PSNR and SSIM by stage."""
    titles = {"psnr": "PSNR, dB", "ssim": "SSIM"}
    return {"depth": page.chart({"vconcat": [_panel(results, *item) for item in titles.items()]})}


def _panel(results: Results, measure: str, title: str) -> Spec:
    stages = [1 + stage for stage in range(_STAGES)]
    rows = [
        row
        for w in results["weights"].values()
        for row in page.curve(w["title"], stages, w[measure])
    ]
    inks = dict(zip(_TITLES.values(), (page.ACCENT, page.OTHER), strict=True))
    panel = page.lines(rows, inks, page.axis("x", "stage", at=stages), page.axis("y", title))
    return {**panel, "width": page.WIDTH - 80, "height": 150}


if __name__ == "__main__":
    page.main(__file__, measure, draw, claims)
