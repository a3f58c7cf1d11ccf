"""Runs that never happened, for the report's tests: believable numbers, real photographs.

The pictures are tiles of photographs that lie inside scikit-image; neighbours, copies and
rebuilt pictures are computed from them, so that what the page shows can be judged by eye.
"""

from functools import cache, partial
from itertools import product
from pathlib import Path

import numpy as np
import PIL.Image
import skimage

from imrep import answers, results
from imrep.answers import Answers, AnswerTable
from imrep.assets import CHECKED, SIDE, Assets, Pair, Remark
from imrep.comparison.diagnostics.cues.variants import example
from imrep.comparison.output import gallery
from imrep.results import Row

# spec: accuracy, kNN, ms, dimensions, kept, detail, fit seconds
SPECS = {
    "dct": (0.842, 0.781, 0.08, 780, 0.51, 0.0, 0),
    "scattering": (0.825, 0.735, 2.6, 1953, 0.72, 0.14, 0),
    "fourier": (0.70, 0.641, 0.04, 2112, 0.05, 0.0, 0),
    "histogram": (0.685, 0.80, 0.2, 512, 0.32, 0.01, 0),
    "filterbank:bank=gabor": (0.632, 0.564, 0.57, 960, 0.82, 0.51, 0),
    "cnn:arch=resnet50.a1_in1k,weights=random,layer=-1": (0.621, 0.502, 13.6, 2048, 0.35, 0.02, 0),
    "sift": (0.547, 0.501, 8.2, 1280, 0.37, 0.11, 3.1),
    "hog": (0.506, 0.526, 0.34, 1764, 0.05, 0.02, 0),
    "hog:cell=4,layout=dalal": (0.47, 0.49, 0.61, 7056, 0.11, 0.05, 0),
    "pixels": (0.303, 0.30, 0.05, 3072, 0.98, 0.97, 0),
    "laplacian": (0.294, 0.263, 0.15, 312, 0.95, 0.90, 0),
}
CONTROLS = {"noise": 0.085, "frame": 0.292, "file facts": 0.12, "bytes": 0.27}
PERTURBATIONS = (
    *("shift", "rotate", "zoom", "darker", "contrast"),
    *("blur", "jpeg", "noise", "occlude"),
)
PHOTOGRAPHS = (
    *("brick", "grass", "gravel", "moon", "ihc", "coffee"),
    *("motorcycle_left", "retina", "hubble_deep_field"),
)


@cache
def tiles(count: int, classes: int, side: int = 64):
    """Colour tiles (count, side, side, 3) uint8 and their class numbers, sorted by class."""
    folder = Path(skimage.__file__).parent / "data"
    found = [next(folder.glob(f"{name}.*")) for name in PHOTOGRAPHS]
    rng = np.random.default_rng(0)
    photos = [np.asarray(PIL.Image.open(path).convert("RGB")) for path in found]
    number = np.sort(np.arange(count) % classes)
    out = np.zeros((count, side, side, 3), np.uint8)
    for i, c in enumerate(number):
        photo = photos[c % len(photos)]
        y, x = (int(rng.integers(0, n - side)) for n in photo.shape[:2])
        out[i] = photo[y : y + side, x : x + side]
    return out, number


def class_names(classes: int):
    known = [*PHOTOGRAPHS, "a <b>bold</b> & very long class name, of which folders have many"]
    return [known[i] if i < len(known) else f"class_{i:03d}" for i in range(classes)]


def rows(
    sentence="tied",
    *,
    specs=SPECS,
    classes=10,
    n=479,
    sizes=False,
    failed=(),
    **said,
):
    """Rows of a whole run that ended in that sentence; `said`: name, warnings, notes.

    `own` among them names the specs that are vectors of the user's own, without a time; `together`
    says that a weighted combination ran, `cues` of whom there are numbers on changed images.
    """
    labelled = sentence not in ("unlabelled", "nothing")
    base = {
        "run": "2026-11-21T12:00:00Z-0",
        "time": "2026-11-21T12:00:00+00:00",
        "data": "9f2c",
        "data_name": said.pop("name", "ten photographs"),
        "n": n,
        "classes": classes if labelled else 0,
        "groups": n // 5,
        "folds": 5 if labelled else 0,
        "cpu": "Some Processor 9000 @ 2.50GHz",
        "versions": {"imrep": "0.1.0", "torch": "2.15.0", "numpy": "2.4.6"},
    }
    out = []

    def add(kind, metric, value, unit, **more):
        named = {"kind": kind, "metric": metric, "value": value, "unit": unit}
        out.append(Row(**{**base, **named, **more}))

    _folder(add, n, class_names(classes) if labelled else [])
    for index, (spec, numbers) in enumerate(specs.items()):
        row = _identity(spec, index, numbers, said.get("own", ()))
        _encoded(add, row, numbers, index, list(specs))
        if labelled:
            _scored(add, row, numbers, next(iter(specs)), next(iter(specs.values()))[0], index)
        if sizes:
            _sized(add, row, numbers, labelled)
    _suspected(add, said.pop("suspects", 0))
    if said.pop("together", False):
        _combined(add, list(specs))
    _changed(add, said.pop("cues", ()), [spec for spec in specs if spec in ("dct", "gradient")])
    said.pop("own", None)
    for spec, accuracy in CONTROLS.items() if labelled else ():
        row = {"spec": spec, "role": "control"}
        add("accuracy", "probe", accuracy, "share", **row)
        add("accuracy", "knn", accuracy - 0.01, "share", **row)
    for spec, metric, reason in failed:
        add("failed", metric, None, "", spec=spec, role="contender", detail=reason)
    out.append(Row(**{**base, **_verdict_row(sentence, specs, n, **said)}))
    return out


def _suspected(add, listed):
    if not listed:
        return
    sentence = (
        f"**{listed} labels to check**: each fits its picture worse than half of 75 labels that we "
        "changed on purpose. We estimate that 9 labels of this folder are wrong."
    )
    add("suspects", "sentence", None, "", detail=sentence)
    add("suspects", "listed", listed, "images")
    add("suspects", "wrong", 9, "images")


def _combined(add, specs):
    row = {"spec": "together", "role": "together"}
    add("accuracy", "probe", 0.89, "share", lo=0.82, hi=0.95, **row)
    add("cost", "ms", 2.7, "ms", **row)
    add("cost", "bytes", 11_000, "bytes", **row)
    add("difference", "probe", 0.05, "share", detail=specs[0], lo=0.01, hi=0.09, **row)
    for spec, weight in zip(specs, (0.3, 0.7), strict=False):
        add("combination", "weight", weight, "share", detail=spec, **row)
        add("combination", "folds", 0.8, "share", detail=spec, **row)


LOSSES = {  # of accuracy, in every variant
    "no colour": -0.13,
    "colour only": -0.06,
    "8 px only": -0.01,
    "fine detail only": 0.05,
    "blocks shuffled": -0.47,
    "edges only": -0.28,
    "same exposure": 0.0,
}


def _changed(add, specs, parts):
    for part in parts if specs else ():
        add("cues", "part", 1, "flag", spec=part, role="contender")
    for spec, (name, loss) in product(specs, {"as it is": None, **LOSSES}.items()):
        own = {"spec": spec, "role": "contender" if spec else "", "n": 200 if spec else 479}
        more = 0.05 if spec else 0
        share = 0.84 + more + (loss or 0)
        ends = {"lo": share - 0.07, "hi": min(1, share + 0.07)}
        add("cues", "accuracy", share, "share", detail=name, **ends, **own)
        if loss is not None:
            ends = {"lo": loss - 0.04, "hi": loss + 0.04}
            add("cues", "difference", loss, "share", detail=name, **ends, **own)
            add("cues", "p_flip", 0.5 ** (abs(loss) * 100), "share", detail=name, **own)


def _identity(spec, index, numbers, own):
    role = "own" if spec in own else "sum" if "+" in spec else "contender"
    row = {"spec": spec, "fingerprint": f"{index:04x}", "role": role}
    if role == "own":
        return row | {"fitted_on": "outside"}
    return row | ({"fitted_on": "fold"} if numbers[6] else {})


def _verdict_row(sentence, specs, n, warnings=(), notes=()):
    first, *others = specs
    equals = {"clear": [first], "tied": [first, *others[:2]], "solved": [first, *others[:3]]}
    text = {
        "clear": f"**{first}** serves this folder best: it names the class of 84% of images it has "
        f"not seen (95% interval 77-91%; guessing gives 10%), 14 points ahead of **fourier**, more "
        f"than chance explains with {n} images.",
        "tied": f"**Too close to call** between {', '.join([first, *others[:1]])} and "
        f"{(others[1:2] or others[:1] or [first])[0]}: with {n} images this test sees gaps of "
        f"about 9 points or more. Of those within 2 points of the top **{first}** costs least "
        f"(0.08 ms and 3 KB an image), at 84% (95% interval 77-91%; guessing gives 10%).",
        "solved": f"4 of {len(specs)} name at least 97% of the images; this folder does not tell "
        f"them apart. **{first}** costs least.",
        "none": "**None of these is shown to see the classes**: the best is at 12% (95% interval "
        "7-17%), guessing gives 10%.",
        "one": f"**{first}** names the class of 84% (95% interval 77-91%; guessing gives 10%); "
        f"nothing to compare it with.",
        "nothing": "**Nothing can be tested**: no two classes have two images (or groups) each.",
        "too few": f"**Too few images to decide** ({n}; smallest class 4). The numbers below are "
        f"anecdotes; about 60 images a class would show a gap of 10 points.",
        "noise": "**Stop: a representation made of noise scored 34% (guessing 10%). Something "
        "leaks the labels; do not use the numbers below.**",
        "unlabelled": "There are no labels here, so there is no honest way to name a best one. "
        "Below: what each keeps, what moves it, what it calls similar, what it costs.",
    }[sentence]
    has_pick = sentence in ("clear", "tied", "solved", "one")
    detail = {
        "sentence": sentence,
        "text": text,
        "warnings": list(warnings),
        "notes": list(notes),
        "leader": "" if sentence in ("unlabelled", "nothing") else first,
        "equals": equals.get(sentence, []),
        "q": 2.7,
        "gap": 0.09,
        "margin": 0.02,
        "guess": 0.1 if sentence not in ("unlabelled", "nothing") else None,
        "data": "photos" if has_pick else "",
        "command": f"imrep embed photos {first} --size 64 -o vectors.parquet" if has_pick else "",
    }
    return {
        "kind": "verdict",
        "metric": "sentence",
        "spec": first if has_pick else "",
        "value": specs[first][0] if has_pick else None,
        "unit": "share",
        "detail": detail,
    }


def _folder(add, n, names):
    add("data", "files", n + 3, "images")
    add("data", "skipped", 2, "images")
    for name in names:
        add("data", "class", n // len(names), "images", detail=name)
    for metric, value, unit in (
        ("images", 7, "images"),
        ("groups", 3, "groups"),
        ("largest", 3, "images"),
        ("plain", 12, "images"),
        ("conflicts", 1 if names else 0, "pairs"),
    ):
        add("duplicates", metric, value, unit)


def _encoded(add, own, numbers, index, specs):
    _, _, ms, dimensions, kept, detail, fit = numbers
    add("cost", "bytes", 4 * dimensions, "bytes", **own)
    add("cost", "dimensions", dimensions, "dimensions", **own)
    if own["role"] == "own":
        return
    add("cost", "ms", ms, "ms", **own)
    add("cost", "wall_ms", ms * 1.05, "ms", **own)
    if fit:
        add("cost", "fit_s", fit, "s", **own)
    add("cost", "images_s", 1000 / ms, "images", **own)
    add("cost", "memory", 2e8 + 1e7 * index, "bytes", **own)
    add("information", "kept", kept, "share", **own)
    add("information", "detail", detail, "share", **own)
    add("information", "psnr", 10 + 20 * kept, "dB", **own)
    if own["spec"] == "laplacian":
        add("information", "exact", 142.3, "dB", **own)
        add("information", "code_numbers", 16_383.0, "dimensions", **own)
    rng = np.random.default_rng(index)
    moves = rng.uniform(0.02, 1.2, len(PERTURBATIONS))
    for name, move in zip(PERTURBATIONS, moves, strict=True):
        add("stability", "move", move, "ratio", detail=name, **own)
        add("stability", "top1", float(np.clip(1.4 - move, 0, 1)), "share", detail=name, **own)
    add("stability", "moves", float(np.minimum(1, moves).mean()), "ratio", **own)
    add("labelfree", "effective_dimensions", 3.2 + 5 * index, "dimensions", **own)
    add("labelfree", "share1", 0.4 / (1 + index), "share", **own)
    add("labelfree", "share10", 0.9 / (1 + index / 9), "share", **own)
    for other, spec in enumerate(specs):
        if other != index:
            likeness = 0.9 / (1 + abs(other - index) / 3)
            add("labelfree", "cka", likeness, "share", detail=spec, **own)


def _scored(add, own, numbers, leader, top, index):
    accuracy, knn = numbers[:2]
    add(
        "accuracy",
        "probe",
        accuracy,
        "share",
        lo=accuracy - 0.07,
        hi=min(1, accuracy + 0.07),
        **own,
    )
    add("accuracy", "knn", knn, "share", **own)
    add("accuracy", "by", None, "", detail=("gaussian", "linear", "exponential")[index % 3], **own)
    add("accuracy", "linear", accuracy - 0.03 * (index % 4), "share", **own)
    gap = accuracy - top
    if own["spec"] != leader:
        own_gap = {"detail": leader, **own}
        add("difference", "probe", gap, "share", lo=gap - 0.06, hi=gap + 0.06, **own_gap)
        add("difference", "t", abs(gap) / 0.03, "ratio", **own_gap)
        add("difference", "p_flip", 0.5 ** (abs(gap) * 60), "share", **own_gap)
        add("difference", "needed", 0.03 + 0.003 * index, "share", **own_gap)
    _calibrated(add, own, index)
    for labels in (1, 2, 5, 10, 20) if index < 4 else ():
        share = 0.1 + (accuracy - 0.1) * (1 - 0.8 * labels**-0.6)
        more = {"lo": share - 0.04, "hi": share + 0.04, "detail": str(labels)}
        add("accuracy", "probe_curve", share, "share", **more, **own)
    if 0 < index < 4 and own["spec"] != leader:
        ends = {"lo": 38.0, "hi": 412.0} if index == 2 else {}
        at = 96.0 if ends else None  # of the others it cannot be told
        add("accuracy", "probe_crossing", at, "labels", detail=leader, **ends, **own)


def _calibrated(add, own, index):
    add("probability", "nll", 0.5 + 0.1 * index, "nats", **own)
    add("probability", "ece", 0.03 + 0.004 * index, "share", **own)
    add("probability", "temperature", 4.2, "ratio", **own)
    if index:
        return
    for number in range(1, 11):
        says, name = 0.3 + 0.065 * number, {"detail": f"{number} of 10"}
        right = says - 0.03
        add("probability", "confidence", says, "share", **name, **own)
        add("probability", "right", right, "share", lo=right - 0.1, hi=right + 0.05, **name, **own)
    add("probability", "sure", 0.91, "share", lo=0.84, hi=0.95, **own)
    add("probability", "sure_images", 132, "images", **own)


def _sized(add, own, numbers, labelled):
    accuracy, _, ms = numbers[:3]
    for side in (32, 64, 128):
        add("cost", "ms_size", ms * (side / 64) ** 1.8, "ms", detail=str(side), S=side, **own)
        if labelled:
            share = accuracy + 0.04 * np.log2(side / 64)
            more = {"lo": share - 0.07, "hi": min(1, share + 0.07), "detail": str(side), "S": side}
            add("accuracy", "probe_size", min(1, share), "share", **more, **own)
        if labelled and side != 64:
            gain = 0.04 * np.log2(side / 64)
            more = {"lo": gain - 0.05, "hi": gain + 0.03, "detail": str(side), "S": side}
            add("difference", "size", gain, "share", **more, **own)


def assets(*, specs=SPECS, classes=10, count=240, labelled=True, suspects=0, varied=False):
    """Pictures of a whole run, all computed from the tiles."""
    pictures, number = tiles(count, classes)
    names = class_names(classes)
    small = _shrunk(pictures, SIDE)
    nearest, spots = {}, {}
    for index, spec in enumerate(specs):
        code = _code(_shrunk(pictures, 8).reshape(count, -1), index)
        nearest[spec] = gallery.nearest(code @ code.T)
        spots[spec] = code @ np.linalg.svd(code, full_matrices=False)[2][:2].T
    chosen = np.arange(count)[:: max(count // 7, 1)][:7]
    originals = _shrunk(pictures[chosen], 32)
    paths = [f"{names[c]}/{i:04d}.png" for i, c in enumerate(number)]
    _, truth, predicted = answered(count, classes)
    confusion = np.bincount(truth * classes + predicted, minlength=classes**2)
    return Assets(
        thumbnails=small,
        paths=paths,
        labels=[names[c] if labelled else None for c in number],
        neighbours=nearest,
        queries=[0, count // 2, count - 1],
        maps=spots,
        variances=dict.fromkeys(spots, (0.25, 0.13)),
        copies=np.stack([pictures[0], pictures[0][:, ::-1], pictures[9], pictures[9] // 2 + 40]),
        pairs=[
            Pair(
                paths=(paths[0], "grass/copy.png"),
                labels=(names[0], names[1]) if labelled else (None, None),
                reason="mirrored, agreement 0.99",
            ),
            Pair(
                paths=(paths[9], "brick/darker.png"),
                labels=(names[0], names[0]) if labelled else (None, None),
                reason="darker ×0.64, agreement 0.97",
            ),
        ],
        remarked=pictures[: 2 * min(suspects, CHECKED) + 6 * bool(suspects)],
        remarks=_remarks(paths, names, min(suspects, CHECKED)),
        originals=originals,
        original_paths=[paths[i] for i in chosen],
        rebuilt={spec: _blurred(originals, s[4]) for spec, s in specs.items()},
        perturbed=_perturbed(pictures[count // 2]),
        variants=example(pictures, range(count)) if varied else {},
        perturbed_path=paths[count // 2],
        classes=names if labelled else [],
        confusions={next(iter(specs)): confusion.reshape(classes, classes)} if labelled else {},
        skipped=[("a/<img src=x onerror=alert(1)>.jpg", "truncated"), ("b/notes.png", "no image")],
    )


def _remarks(paths, names, suspects):
    """As many suspects, half as many hard ones and typical ones, six of a confused pair."""
    if not suspects:
        return {}
    sizes = (suspects, suspects // 2, suspects - suspects // 2, 6)
    sections = ("suspects", "hardest", "typical", "confused")
    remarks, first = {}, 0
    for section, size in zip(sections, sizes, strict=True):
        remarks[section] = [
            Remark(paths[first + i], names[i % len(names)], names[(i + 1) % len(names)], i / 50)
            for i in range(size)
        ]
        first += size
    return remarks


def answered(count, classes):
    """Paths, classes and predictions: of the pictures, and of as many without a thumbnail."""
    names, number = class_names(classes), np.sort(np.arange(count) % classes)
    paths = [f"{names[c]}/{i:04d}.png" for i, c in enumerate(number)]
    paths += [f"{names[c]}/without_{i:04d}.png" for i, c in enumerate(number)]
    truth, i = np.tile(number, 2), np.arange(2 * count)
    return paths, truth, np.where(i % 7 == 3, (truth + 1 + i % 3) % classes, truth)


def answer_table(specs, count, classes):
    """Sure of what is right, less so of the rest."""
    paths, truth, predicted = answered(count, classes)
    p = np.where(truth == predicted, 0.95, 0.6) - 0.3 * (np.arange(2 * count) % 5 == 0)
    table = np.repeat((1 - p[:, None]) / (classes - 1), classes, 1).astype(np.float32)
    table[np.arange(2 * count), predicted] = p
    own = Answers.of(predicted, table, truth)
    return AnswerTable(paths, truth, class_names(classes), dict.fromkeys(specs, own))


def _shrunk(pictures, side):
    resize = partial(PIL.Image.Image.resize, size=(side, side), reducing_gap=None)
    return np.stack([np.asarray(resize(PIL.Image.fromarray(picture))) for picture in pictures])


def _code(flat, index):
    """Unit vectors: the thumbnails' first numbers, seen through a random matrix."""
    rng = np.random.default_rng(index)
    centred = flat - flat.mean(0)
    projected = np.abs(centred @ rng.normal(size=(flat.shape[1], 64)) * (1 + index % 3))
    projected -= projected.mean(0)
    return projected / np.linalg.norm(projected, axis=1, keepdims=True)


def _blurred(pictures, kept):
    mean = pictures.mean((1, 2), keepdims=True)
    coarse = np.repeat(np.repeat(pictures[:, 4::8, 4::8], 8, 1), 8, 2)
    return np.uint8(kept * (0.5 * pictures + 0.5 * coarse) + (1 - kept) * mean)


def _perturbed(picture):
    shown = {"original": picture} | dict.fromkeys(PERTURBATIONS, picture)
    shown["shift"] = np.roll(picture, (4, 4), (0, 1))
    shown["darker"] = np.uint8(picture * 0.6)
    shown["contrast"] = np.uint8(picture * 0.5 + picture.mean() * 0.5)
    shown["occlude"] = picture.copy()
    shown["occlude"][20:42, 20:42] = 128
    return shown


def write(folder, sentence="tied", *, classes=10, count=240, specs=SPECS, **more):
    """A folder as `imrep compare` leaves it, ready for the report."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = rows(sentence, specs=specs, classes=classes, **more)
    results.write(folder / results.FILENAME, lines)
    labelled = sentence not in ("unlabelled", "nothing")
    suspects, varied = more.get("suspects", 0), bool(more.get("cues"))
    drawn = assets(
        specs=specs,
        classes=classes,
        count=count,
        labelled=labelled,
        suspects=suspects,
        varied=varied,
    )
    drawn.save(folder)
    answers.write(folder, answer_table(specs, count, classes) if labelled else None)
    return folder
