"""The ctypes signature of every function that the C libraries export.

`ABI` is the number that `imrep.h` compiles into each library. Both are raised together whenever a
signature or a structure changes, so that a stale library is never called.
"""

import ctypes
from typing import Any

ABI = 2

_POINTER, _INT64, _DOUBLE = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double
_Signature = tuple[Any, tuple[Any, ...]]  # result and arguments


def _pyramid(suffix: str) -> dict[str, _Signature]:
    """The pyramid's functions for one type of pixels; the last argument is scratch memory."""
    plane = (_INT64,) * 3  # planes, height, width
    one_level = (None, (_POINTER, _POINTER, *plane, _DOUBLE, _POINTER))
    all_levels = (None, (_POINTER,) * 3 + (*plane, _INT64, _DOUBLE, _POINTER))
    return {
        f"imrep_pyramid_scratch_{suffix}": (_INT64, (_INT64,) * 3),
        f"imrep_pyramid_reduce_{suffix}": one_level,
        f"imrep_pyramid_expand_{suffix}": one_level,
        f"imrep_pyramid_build_{suffix}": all_levels,
        f"imrep_pyramid_collapse_{suffix}": all_levels,
    }


_ABI: dict[str, _Signature] = {"imrep_abi": (ctypes.c_int, ())}

SIGNATURES: dict[str, dict[str, _Signature]] = {
    "kernels": {
        **_ABI,
        "imrep_bilateral_splat_f32": (None, (_POINTER,) * 5 + (_INT64,) * 8 + (_DOUBLE,) * 3),
        "imrep_bilateral_slice_f32": (None, (_POINTER,) * 8 + (_INT64,) * 7 + (_DOUBLE,) * 4),
        "imrep_composite_decode": (_INT64, (_POINTER,) * 6),
        **_pyramid("f32"),
        **_pyramid("u8"),
        "imrep_scatter_scratch": (_INT64, (_POINTER,) * 2),
        "imrep_scatter_moduli": (None, (_POINTER, _INT64) + (_POINTER,) * 4),
        "imrep_scatter_averages": (ctypes.c_int, (_POINTER, _INT64) + (_POINTER,) * 5),
        "imrep_shrink_f32": (None, (_POINTER,) * 3 + (_INT64,) * 3 + (_DOUBLE, _INT64, _INT64)),
    },
    "jpeg": {
        **_ABI,
        "imrep_jpeg_open": (
            _POINTER,
            (ctypes.c_char_p, ctypes.c_size_t, _INT64, _POINTER),
        ),
        "imrep_jpeg_blocks": (ctypes.c_int, (_POINTER,) * 2),
        "imrep_jpeg_planes": (ctypes.c_int, (_POINTER,) * 2),
        "imrep_jpeg_entropy": (ctypes.c_int, (ctypes.c_char_p, ctypes.c_size_t)),
        "imrep_jpeg_close": (None, (_POINTER,)),
    },
}


def declare(library: ctypes.CDLL, name: str) -> bool:
    """Set the types of every function; False where the library was built for another ABI."""
    abi = getattr(library, "imrep_abi", None)
    if abi is None or abi() != ABI:
        return False
    for function, (result, arguments) in SIGNATURES[name].items():
        pointer = getattr(library, function)
        pointer.restype, pointer.argtypes = result, arguments
    return True
