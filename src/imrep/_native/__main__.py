"""`python -m imrep._native`: one line for each library that was not built; used by `make`."""

import sys

from imrep._native import MISSING, built

_CONSEQUENCE = {
    "kernels": "scattering, pyramids and denoising run in torch, slower, with equal results",
    "jpeg": "coefficients straight from JPEG bytes are not available",
}

for name, needs in MISSING.items():
    if not built(name):
        sys.stdout.write(
            f"left out: imrep's native {name}, so {_CONSEQUENCE[name]}. "
            f"It {needs}; then `make native`.\n"
        )
