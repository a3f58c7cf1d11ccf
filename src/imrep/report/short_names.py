"""The shortest name of each spec that tells it from the others of a run."""

import re
from collections import Counter
from collections.abc import Sequence

_COMMA = re.compile(r",(?=(?:[^']*'[^']*')*[^']*$)")  # commas outside quotes
_PLUS = re.compile(r"\+(?=(?:[^']*'[^']*')*[^']*$)")  # pluses outside quotes


def short_names(specs: Sequence[str]) -> dict[str, str]:
    """Spec -> name: `hog`, or `hog cell=4` where there is another hog."""
    views = {view for spec in specs for view in _PLUS.split(spec)}
    count = Counter(map(_abbreviated, views))
    names = {view: _abbreviated(view, full=count[_abbreviated(view)] > 1) for view in views}
    return {spec: " + ".join(names[view] for view in _PLUS.split(spec)) for spec in specs}


def _abbreviated(view: str, full: bool = False) -> str:
    """`hog`; a network with its architecture; if `full`, all its parameters: `hog cell=4`."""
    name, _, parameters = view.partition(":")
    pairs = [p.partition("=")[::2] for p in _COMMA.split(parameters)] if parameters else []
    architecture = [value for key, value in pairs if key in ("arch", "model")]
    random = ["(random)"] if ("weights", "random") in pairs else []
    further = [
        f"{key}={value}"
        for key, value in pairs
        if key not in ("arch", "model") and (key, value) != ("weights", "random")
    ]
    return " ".join([name, *architecture, *random, *(further if full else [])])
