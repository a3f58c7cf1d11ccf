"""How a run was measured: the protocol in sentences, its settings in pairs."""

from imrep.report import words
from imrep.report.findings import CONTROLS, Findings


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
    several_labels = findings.measure == "precision"
    what = "labels of each image were" if several_labels else "class of each image was"
    return [
        reading,
        f"The images were split into {findings.meta.folds} folds. All images of a group "
        f"(near-duplicates, or groups that you declared) are in one fold. The {what} "
        f"predicted by a classifier trained on the other folds.{_fitting(findings)}",
        *(_SEVERAL_LABELS if several_labels else _CLASSIFICATION),
        _VERDICT,
        *([_OWN] if findings.own else []),
    ]


def plain_words(findings: Findings) -> str:
    """The headline's numbers for readers who do not know the terms; empty without a pick."""
    row = findings.row("accuracy", findings.measure, findings.pick) if findings.predicted else None
    if row is None or findings.guess is None or row.lo is None or row.hi is None:
        return ""
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


def facts(findings: Findings) -> list[tuple[str, str]]:
    """Data, settings and machine as pairs of name and value."""
    meta, value = findings.meta, findings.value
    pairs = [
        ("folder", meta.data_name),
        ("images", words.count(meta.n)),
        ("classes", words.count(meta.classes) if meta.classes else ""),
        ("labels", words.count(len(findings.details("data", "label")) or None)),
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
    fitted = {row.fitted_on for row in findings.rows}
    if "fold" in fitted:
        return " Codebooks were fitted on the training part of each fold."
    return " Codebooks were fitted once on all images, without labels." if "all" in fitted else ""


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
