"""How a run was measured: the protocol in sentences, its settings in pairs."""

from imrep.report import words
from imrep.report.findings import CONTROLS, Findings
from imrep.results import Row


def sentences(findings: Findings) -> list[str]:
    """The protocol, a paragraph for each step (specs/compare.md, sections 1 to 6)."""
    reading = (
        f"Every image was turned upright, converted to sRGB, scaled until its shorter side had "
        f"{_sizes(findings)} and cropped to its central square. Near-duplicates were detected "
        f"before anything was fitted."
    )
    if findings.measure == "retrieval":
        return [reading, *_RETRIEVAL]
    if not findings.predicted:
        return [reading]
    what = {"precision": "labels of each image were", "r2": "number of each image was"}
    judge = {"r2": "regression"}.get(findings.measure, "classifier")
    fitted = {"precision": _SEVERAL_LABELS, "r2": _NUMBERS}
    return [
        reading,
        f"The images were split into {findings.meta.folds} folds. All images of a group "
        f"(near-duplicates, or groups that you declared) are in one fold. The "
        f"{what.get(findings.measure, 'class of each image was')} predicted by a {judge} trained "
        f"on the other folds.{_fitting(findings)}",
        *fitted.get(findings.measure, _CLASSIFICATION),
        _VERDICT,
        *([_OWN] if findings.own else []),
    ]


def plain_words(findings: Findings) -> str:
    """The headline's numbers for readers who do not know the terms; empty without a pick."""
    row = findings.row("accuracy", findings.measure, findings.pick) if findings.predicted else None
    if row is None or findings.guess is None or row.lo is None or row.hi is None:
        return ""
    if findings.measure == "r2":
        return _plain_numbers(findings, row)
    if findings.measure == "precision":
        return (
            f"In plain words: {findings.short[row.spec]} lists the images for a label, the likely "
            "ones first. Down to each image that has the label, about "
            f"{100 * (row.value or 0):.0f} of 100 have it; in a random order about "
            f"{100 * findings.guess:.0f} would. The 95% interval says how far chance may move the "
            f"first number: from {100 * row.lo:.0f} to {100 * row.hi:.0f}."
        )
    return (
        f"In plain words: of 100 new images of this kind, {findings.short[row.spec]} would lead to "
        f"the right class for about {100 * (row.value or 0):.0f}, and guessing for about "
        f"{100 * findings.guess:.0f}. The 95% interval says how far chance may move the first "
        f"number: from {100 * row.lo:.0f} to {100 * row.hi:.0f}."
    )


def _plain_numbers(findings: Findings, row: Row) -> str:
    """Errors in the number's own unit."""
    error, guess = findings.row("accuracy", "error", row.spec), findings.row("data", "guess_error")
    if error is None or guess is None:
        return ""
    factor = "a factor of " if error.unit == "factor" else ""
    return (
        f"In plain words: for a new image of this kind {findings.short[row.spec]} would be off by "
        f"about {factor}{words.digits(error.value)} on average, and always saying the middle value "
        f"by about {factor}{words.digits(guess.value)}. Of what makes the numbers differ it "
        f"explains about {words.percent(row.value)}; the 95% interval says how far chance may move "
        f"that: {words.interval(row.lo, row.hi)}."
    )


def facts(findings: Findings) -> list[tuple[str, str]]:
    """Data, settings and machine as pairs of name and value."""
    meta, value = findings.meta, findings.value
    pairs = [
        ("folder", meta.data_name),
        ("images", words.count(meta.n)),
        ("classes", words.count(meta.classes) if meta.classes else ""),
        ("labels", words.count(len(findings.details("data", "label")) or None)),
        ("predicted", next(iter(findings.details("data", "target")), "")),
        ("groups", words.count(meta.groups) if meta.folds else ""),
        ("folds", str(meta.folds) if meta.folds else ""),
        ("size", _sizes(findings)),
        ("seed", str(meta.seed)),
        ("unreadable files", words.count(value("data", "skipped"))),
        ("processor", meta.cpu),
        ("threads", str(meta.threads)),
        ("versions", ", ".join(f"{name} {number}" for name, number in meta.versions.items())),
        ("protocol", meta.protocol),
        ("date", meta.time),
        ("digest of the images", meta.data),
        ("fingerprints", _fingerprints(findings)),
    ]
    return [(name, text) for name, text in pairs if text and text != "–"]


def controls(findings: Findings) -> list[tuple[str, str]]:
    """Every control and what it consists of."""
    pairs = (
        (spec, next((text for key, text in CONTROLS.items() if key in spec), ""))
        for spec in findings.controls
    )
    return [(spec, text) for spec, text in pairs if text]


def _fitting(findings: Findings) -> str:
    trained = {row.spec for row in findings.rows if row.metric == "trained"}
    codebooks = {row.fitted_on for row in findings.rows if row.spec not in trained}
    texts = [_TRAINED] if trained else []
    if "fold" in codebooks:
        texts.append(" Codebooks were fitted on the training part of each fold.")
    elif "all" in codebooks:
        texts.append(" Codebooks were fitted once on all images, without labels.")
    return "".join(texts)


def _fingerprints(findings: Findings) -> str:
    """Of representations made from files, since a file may be replaced under the same path."""
    rows = [findings.row("cost", "ms", spec) for spec in findings.contenders]
    return ", ".join(
        f"{row.spec} {row.fingerprint}"
        for row in rows
        if row is not None and ("weights=" in row.spec or "/" in row.spec)
    )


def _sizes(findings: Findings) -> str:
    """64 pixels; or 64 or 224 pixels, depending on the line of the table."""
    sizes = [str(size) for size in findings.sizes] or [str(findings.meta.S)]
    if len(sizes) == 1:
        return f"{sizes[0]} pixels"
    return f"{', '.join(sizes[:-1])} or {sizes[-1]} pixels (see the table)"


_TRAINED = (
    " What learns from labels was trained anew on the training part of each fold; its neighbours, "
    "pictures and similarity are those of one that was trained on all images, labels and all. Its "
    "kernel, penalty and probabilities rest on images that it was trained on: the latter are too "
    "sure. It is no part of combinations, learning curves and the search for wrong labels."
)
_CLASSIFICATION = (
    "The classifier is a ridge in which every class has the same weight, on one of three kernels "
    "of the vectors: linear, Gaussian or exponential. Kernel and penalty were chosen on the "
    "training part alone, by leaving out one group at a time. Where it makes fewer errors there, a "
    "linear discriminant of its scores names the class.",
    "Intervals come from 2,000 bootstrap samples of the groups within their classes. They are "
    "widened by factors calibrated on real folders, so that the 95% intervals cover 95%. The "
    "classifier was trained on part of the folder, so the accuracies are slightly pessimistic.",
)
_SEVERAL_LABELS = (
    "Folds hold about their share of every label (iterative stratification). The classifier is a "
    "ridge on one of three kernels of the vectors, linear, Gaussian or exponential, that predicts "
    "1 for having a label and 0 for not having it, all labels at once. Kernel and penalty were "
    "chosen on the training part alone, by the squared errors for one group at a time left out.",
    "The score of an image for a label is the prediction minus the share of the training images "
    "that have the label, since folds are ranked together. Average precision is computed for each "
    "label, equal scores as one threshold, and its bias is taken away by the jackknife over groups "
    "(of more than 500 groups, over 500 blocks of them).",
    "Intervals come from 2,000 bootstrap samples of the groups' jackknife values. They are widened "
    "by factors calibrated on real folders. The classifier was trained on part of the folder, so "
    "the precisions are slightly pessimistic.",
)
_NUMBERS = (
    "Folds hold the fifths of the sorted numbers in proportion. The regression is a ridge in which "
    "every image has the same weight, on one of three kernels of the vectors: linear, Gaussian or "
    "exponential. Kernel and penalty were chosen on the training part alone, by the squared errors "
    "for one group at a time left out.",
    "R² is 1 less the squared errors over those of always saying the mean of the training part, so "
    "that guessing has 0. Every image adds its influence on that ratio; intervals come from 2,000 "
    "bootstrap samples of the groups' influences. They are widened by factors calibrated on real "
    "folders. The regression was trained on part of the folder, so that R² is slightly "
    "pessimistic.",
)
_VERDICT = (
    "The verdict removes one contender after another, the one with the largest t first. It does so "
    "as long as the difference to the best exceeds the bootstrap quantile of the largest "
    "difference among equals and a sign-flip test agrees. The remaining contenders are tied with "
    "the best."
)
_OWN = (
    "Vectors of your own were scored on the same folds. Where a number needs their encoder, the "
    "table has a dash."
)
_RETRIEVAL = (
    "Every image whose object has another image is a query. All images are ranked by the cosine "
    "of their vectors after subtraction of the mean. Average precision is the mean, over the "
    "object's other images, of the precision at the rank of each.",
    "Intervals come from 2,000 bootstrap samples of whole objects, the same for all "
    "representations, and are widened where objects are few. The verdict removes one contender "
    "after another, the one with the largest t first, as long as its difference to the best "
    "exceeds the bootstrap quantile of the largest difference among equals.",
)
