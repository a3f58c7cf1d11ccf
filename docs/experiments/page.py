"""What all experiments share: photographs, uncertainty, figures, and numbers on a page.

An experiment is a script here and a page in docs/pages/experiments. The script writes its results
beside the page: `NAME.json`, which holds every number, and figures and pictures drawn from them.
The page is Markdown in which Jinja takes the numbers from there, while the documentation is built;
so nothing is computed then. `python docs/experiments/NAME.py` writes the results anew.
"""

import argparse
import json
import math
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

Results = dict[str, Any]
Spec = dict[str, Any]

DOCS = Path(__file__).resolve().parent.parent
PAGES = DOCS / "pages" / "experiments"
sys.path[:0] = [str(DOCS), str(DOCS.parent / "benchmarks")]

WIDTH = 440  # px of a figure, and the greatest of a telephone's page, nearly
ACCENT, OTHER = "var(--md-accent-fg-color)", "var(--other)"
SECOND, THIRD = "var(--second)", "var(--third)"
CIRCLE: Spec = {"type": "point", "size": 70, "strokeWidth": 2}
BROKEN: Spec = {"type": "rule", "strokeDash": [4, 4], "stroke": "currentColor"}
_VEGA_LITE = "6.4"
_CONFIDENCE = 0.95


@dataclass
class Record:
    """What a script has measured.

    Args:
        results: Numbers, texts and lists of them, which the page names.
        pictures: Images (1, 1|3, h, w) in [0, 1], by the suffix of the file.
    """

    results: Results
    pictures: dict[str, "Tensor"] = field(default_factory=dict)


def main(
    file: str,
    measure: Callable[[bool], Record],
    draw: Callable[[Results], Mapping[str, Spec]],
    claims: Callable[[Results], Mapping[str, bool]],
) -> None:
    """Measure, write, draw, and stop where the words of the page do not hold any more.

    Args:
        file: Of the script.
        measure: The experiment; on a reduced size if its argument is true.
        draw: Vega-Lite specifications of the results, by the suffix of the file.
        claims: What the page says in words, and whether the results do.
    """
    parser = argparse.ArgumentParser(description=f"Writes the results of {Path(file).stem}.")
    parser.add_argument("--quick", action="store_true", help="a reduced size, to try the script")
    parser.add_argument("--draw", action="store_true", help="only draw the figures again")
    parser.add_argument("--out", type=Path, default=PAGES)
    arguments = parser.parse_args()
    began, name = time.perf_counter(), Path(file).stem
    if not arguments.draw:
        write(measure(arguments.quick), name, arguments.out)
    results = json.loads((arguments.out / f"{name}.json").read_text(encoding="utf-8"))
    for suffix, spec in draw(results).items():
        (arguments.out / f"{name}-{suffix}.svg").write_text(_svg(spec), encoding="utf-8")
    sys.stdout.write(f"{time.perf_counter() - began:.0f} s\n")
    wrong = [claim for claim, holds in claims(results).items() if not holds]
    if wrong and not arguments.quick:
        raise SystemExit(f"The page says what these results do not: {'; '.join(wrong)}.")


def write(record: Record, name: str, folder: Path) -> None:
    """NAME.json and NAME-PICTURE.png."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_rounded(record.results), indent=1, ensure_ascii=False)
    (folder / f"{name}.json").write_text(_dense(text) + "\n", encoding="utf-8")
    for suffix, image in record.pictures.items():
        _png(image, folder / f"{name}-{suffix}.png")


def in_parallel(jobs: Sequence[Callable[[], Any]]) -> list[Any]:
    """Their results, in one process per core."""
    from generate.photographs import in_parallel

    return in_parallel(jobs)


def photograph(name: str, *, gray: bool = True) -> "Tensor":
    """A photograph (1, 1|3, h, w) of scikit-image, or of scikit-learn if it is named china."""
    import skimage
    import sklearn
    import torch

    from imrep import images

    folders = (Path(skimage.__file__).parent / "data", Path(sklearn.__file__).parent / "datasets")
    path = next(p for folder in folders for p in folder.rglob(f"{name}.*") if p.suffix != ".npz")
    image = images.read(path)
    if gray and image.shape[1] == 3:
        image = torch.einsum("c,bchw->bhw", torch.tensor((0.299, 0.587, 0.114)), image)[:, None]
    return image


@dataclass(frozen=True)
class Interval:
    """A mean and half the width of its 95 % interval, from the values of independent trials."""

    mean: float
    half: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Interval":
        """By Student's t."""
        from scipy.stats import t

        count, mean = len(values), sum(values) / len(values)
        if count < 2:
            return cls(mean, math.nan)
        deviation = math.sqrt(sum((v - mean) ** 2 for v in values) / (count - 1))
        return cls(
            mean, float(t.ppf((1 + _CONFIDENCE) / 2, count - 1)) * deviation / math.sqrt(count)
        )

    def text(self, digits: int = 2, sign: bool = False) -> str:
        """`28.31 ± 0.05`."""
        mean = f"{self.mean:{'+' if sign else ''},.{digits}f}".replace("-", "−")
        return mean if math.isnan(self.half) else f"{mean} ± {self.half:.{digits}f}"


def difference(first: Sequence[float], second: Sequence[float]) -> list[float]:
    """Of the same trials, one by one."""
    return [a - b for a, b in zip(first, second, strict=True)]


def rendered(markdown: str, name: str, folder: Path = PAGES) -> str:
    """The page with the results of NAME.json in it.

    Raises:
        FileNotFoundError: If the script has not written its results.
        jinja2.UndefinedError: If the page names what is not among them.
    """
    import jinja2

    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters |= {
        "interval": lambda values, digits=2, sign=False: Interval.of(values).text(digits, sign),
        "number": lambda value, digits=0: f"{value:,.{digits}f}".replace("-", "−"),
    }
    results = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    environment.globals |= {
        "difference": difference,
        "figure": lambda suffix, alt: _figure(folder / f"{name}-{suffix}.svg", alt),
        "pictures": lambda captions: _strip(name, captions),
    }
    return environment.from_string(markdown).render(results)


def chart(spec: Spec, height: int = 250) -> Spec:
    """A specification in the documentation's colours, `WIDTH` wide with its axes."""
    ink = {"labelColor": "currentColor", "titleColor": "currentColor"}
    text = {"labelFontSize": 13, "titleFontSize": 13, "titleFontWeight": 400, "labelLimit": 260}
    lines = {
        "domainColor": "currentColor",
        "tickColor": "currentColor",
        "gridColor": "currentColor",
    }
    faint = {"domainOpacity": 0.4, "tickOpacity": 0.4, "gridOpacity": 0.12}
    loose = {"labelOverlap": "greedy", "labelSeparation": 12, "titlePadding": 8}
    config = {
        "font": "system-ui, -apple-system, 'Segoe UI', sans-serif",
        "axis": {**ink, **text, **lines, **faint, **loose},
        "legend": {**ink, **text, "symbolOpacity": 1},
        "text": {"fill": "currentColor", "fontSize": 13},
        "title": {"color": "currentColor", "fontWeight": 400, "fontSize": 13},
        "view": {"stroke": None},
    }
    size = {"width": WIDTH, "height": height, "autosize": {"type": "fit", "contains": "padding"}}
    panels = {"vconcat", "hconcat"} & spec.keys()  # which have sizes of their own
    padding = {"left": 12, "right": 8, "top": 4, "bottom": 4}  # fonts differ in width
    return {
        "background": None,
        "padding": padding,
        **({} if panels else size),
        **spec,
        "config": config,
    }


def axis(
    field: str, title: str, *, zero: bool = False, log: bool = False, at: Sequence[float] = ()
) -> Spec:
    """A quantity along an axis, from zero, in its logarithm, with marks at some values."""
    scale = {"type": "log", "nice": False} if log else {"zero": zero}
    marks = {"axis": {"values": list(at), "format": "d"}} if at else {}
    return {"field": field, "type": "quantitative", "title": title, "scale": scale, **marks}


def names(field: str, order: Sequence[str]) -> Spec:
    """Names along an axis, in this order."""
    return {"field": field, "type": "nominal", "title": None, "sort": list(order)}


def colours(field: str, by_name: Mapping[str, str], title: str | None = None) -> Spec:
    """A colour for each name, explained above the figure."""
    scale = {"domain": list(by_name), "range": list(by_name.values())}
    legend = {"orient": "top", "direction": "vertical", "title": title}
    return {"field": field, "type": "nominal", "sort": None, "scale": scale, "legend": legend}


def curve(name: str, xs: Sequence[float], values: Sequence[Sequence[float]]) -> list[Spec]:
    """Rows of a curve: the mean of the trials at each x, and the ends of its interval."""
    intervals = map(Interval.of, values)
    return [
        {"name": name, "x": x, "y": i.mean, "low": i.mean - i.half, "high": i.mean + i.half}
        for x, i in zip(xs, intervals, strict=True)
    ]


def lines(rows: Sequence[Spec], inks: Mapping[str, str], x: Spec, y: Spec) -> Spec:
    """Lines through the means, and bars for the intervals; `x` and `y` are axes."""
    place = {"x": {**x, "field": "x"}, "color": colours("name", inks)}
    bars = {"y": {**y, "field": "low"}, "y2": {"field": "high"}}
    line = {"type": "line", "point": {"size": 40}, "strokeWidth": 2}
    layers = [
        {"mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.5}, "encoding": place | bars},
        {"mark": line, "encoding": {**place, "y": {**y, "field": "y"}}},
    ]
    return {"data": {"values": list(rows)}, "layer": layers}


def curves(rows: Sequence[Spec], inks: Mapping[str, str], x: Spec, y: Spec) -> Spec:
    """`lines` as a figure of its own."""
    return chart(lines(rows, inks, x, y), 260)


def _svg(spec: Spec) -> str:
    import vl_convert

    return vl_convert.vegalite_to_svg(spec, vl_version=_VEGA_LITE)


def _figure(path: Path, alt: str) -> str:
    """The SVG within the page, whose colours it takes."""
    svg = path.read_text(encoding="utf-8").replace("\n", " ")
    label = f'<svg role="img" aria-label="{escape(alt)}" '
    return f'<div class="figure">{re.sub("<svg ", label, svg, count=1)}</div>\n'


def _strip(name: str, captions: Mapping[str, str]) -> str:
    """Pictures side by side, or in two columns where there is little room."""
    figures = [
        f'<figure><img src="{name}-{suffix}.png" alt="{escape(caption)}" loading="lazy">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
        for suffix, caption in captions.items()
    ]
    return f'<div class="strip">{"".join(figures)}</div>\n'


def _png(image: "Tensor", path: Path) -> None:
    from PIL import Image

    pixels = image[0].detach().clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels).save(path, optimize=True)


def _rounded(value: Any) -> Any:
    """With five significant digits."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list | tuple) else value


def _dense(text: str) -> str:
    """Lists of numbers in a line each."""
    return re.sub(r"\[[^\[\]{}\"]*\]", lambda m: re.sub(r"\s+", " ", m[0]), text)
