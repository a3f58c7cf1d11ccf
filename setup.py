"""Builds the optional C kernels; everything else about the package is in pyproject.toml."""

import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

FOLDER = Path("src/imrep/_native")

# Never -ffast-math: loading such a library sets flush-to-zero for the whole process.
FLAGS = [
    "-O3",
    "-std=c11",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-ffp-contract=fast",
    "-fvisibility=hidden",
    "-Wall",
    "-Wextra",
]


class BuildPlainLibraries(build_ext):
    """Plain C libraries: ctypes opens them, Python does not import them."""

    def get_export_symbols(self, ext: Extension) -> list[str]:
        return ext.export_symbols or []


def library(name: str, *sources: str, libraries: tuple[str, ...] = ()) -> Extension:
    """`imrep._native._NAME`; without a compiler or a header it is left out, not an error."""
    return Extension(
        f"imrep._native._{name}",
        [str(FOLDER / source) for source in sources],
        depends=[str(header) for header in FOLDER.glob("*.h")],
        libraries=list(libraries),
        extra_compile_args=[] if sys.platform == "win32" else FLAGS,
        optional=True,
    )


setup(
    cmdclass={"build_ext": BuildPlainLibraries},
    ext_modules=[
        library(
            "kernels",
            "abi.c",
            "bilateral.c",
            "composite.c",
            "pyramid.c",
            "scattering.c",
            "shrinkage.c",
        ),
        library("jpeg", "abi.c", "jpeg.c", libraries=("jpeg",)),
    ],
)
