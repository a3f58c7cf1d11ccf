"""`--save`: the model that was measured, fitted to all images and written to a folder."""

from dataclasses import dataclass
from pathlib import Path

from imrep.comparison.conclusions.final_models import FinalModels
from imrep.comparison.settings import Inputs, Settings
from imrep.errors import BadData, BadParameter
from imrep.images import DEFAULT_READING
from imrep.io.names import command_line
from imrep.models import saved
from imrep.types import Progress

_MODEL = "model/"


@dataclass(frozen=True)
class Saving:
    """What became of the request to save a model.

    Args:
        folder: Where one was saved; None where none was.
        text: A sentence on it; "" where nothing was requested.
    """

    folder: Path | None = None
    text: str = ""


def save(models: FinalModels | None, folder: Path | None, which: str, progress: Progress) -> Saving:
    """Fit a model to all images and save it, where the results allow it.

    Args:
        models: Those of the comparison; None where nothing was scored.
        folder: Where to save; None for nowhere.
        which: Its name; "" for the recommended one.
        progress: Called with the step, how much of it is done, and of how much.

    Raises:
        Busy: Another run saves there.
        OSError: The system refuses to write.
    """
    if folder is None:
        return Saving()
    if models is None:
        return _unsaved(folder, "there are no classes, numbers or labels to predict.")
    if not (which or models.pick):
        listed = f"--save-which {models.names[0]}"
        return _unsaved(folder, f"{models.reason} Name one to save it all the same: {listed}.")
    progress("fitting to all images", 0, 1)
    try:
        fitted = models.fit(which)
        saved.write(fitted, folder)
    except (BadData, BadParameter) as error:  # the report is there, and its numbers stand
        return _unsaved(folder, str(error))
    text = (
        f"{folder}/ has {fitted.spec}, fitted to {fitted.images:,} images; it holds their vectors, "
        "no image and no path."
    )
    if models.left_out:
        text += f" It does not know {', '.join(models.left_out)}, which could not be tested."
    return Saving(folder, text)


def save_commands(inputs: Inputs, settings: Settings) -> str:
    """The command that repeats the comparison and saves, and that which predicts, a line each.

    "" where no command can repeat it.
    """
    specs, vectors = inputs.specs or (), inputs.vectors or {}
    texts = (*specs, *vectors.values(), inputs.groups or "", inputs.same_object or "")
    if not all(isinstance(text, str | Path) for text in texts):
        return ""
    if inputs.data is not None and inputs.command_data is None:
        return ""
    options = [("-r", str(spec)) for spec in specs]
    options += [("--vectors", f"{name}={path}") for name, path in vectors.items()]
    options += [("--ms", f"{name}={ms:g}") for name, ms in (inputs.ms or {}).items()]
    chosen = {
        "--out": settings.out if settings.out != Settings.out else None,
        "--groups": inputs.groups,
        "--same-object": inputs.same_object,
        "--max-images": inputs.max_images,
        "--size": settings.size if settings.size != Settings.size else None,
        "--sizes": ",".join(map(str, settings.sizes)) or None,
        "--target": inputs.target.column,
        "--as": inputs.target.kind,
        "--margin": f"{settings.margin:g}" if settings.margin != Settings.margin else None,
        "--seed": settings.seed or None,
    }
    options += [(name, str(value)) for name, value in chosen.items() if value is not None]
    if (limit := settings.reading.max_pixels) != DEFAULT_READING.max_pixels:
        options.append(("--max-pixels", str(limit)))
    if (range_ := settings.reading.data_range) is not None:
        options.append(("--data-range", f"{range_[0]:g},{range_[1]:g}"))
    data = [inputs.command_data] if inputs.command_data else []
    words = ["imrep", "compare", *data, *(word for pair in options for word in pair)]
    words += [] if settings.cues else ["--no-cues"]
    words += ["--log"] if settings.log else []
    model = str(settings.save or _MODEL)
    predict = ["imrep", "predict", model, "new/", "-o", "answers.csv"]
    return "\n".join(map(command_line, ([*words, "--save", model], predict)))


def _unsaved(folder: Path, reason: str) -> Saving:
    earlier = " The model there is an earlier one." if saved.is_saved(folder) else ""
    return Saving(None, f"Nothing was saved in {folder}/: {reason}{earlier}")
