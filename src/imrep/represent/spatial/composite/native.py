"""The decoder in C: all of it, for the fields of one image."""

import ctypes

import numpy as np
from numpy.typing import NDArray

from imrep import _native
from imrep.represent.spatial.composite.reference import Problem
from imrep.represent.spatial.composite.thresholds import MAX_POSES


def decode(problem: Problem) -> NDArray[np.float64] | None:
    """Poses (n, joint, 4) as `reference.decode` gives them; None where there is no C library.

    Raises:
        MemoryError: If there is not enough of it.
    """
    library = _native.library("kernels")
    if library is None:
        return None
    cif, caf = (np.ascontiguousarray(field, np.float32) for field in (problem.cif, problem.caf))
    edges = np.ascontiguousarray(problem.edges, np.int64)
    joints = len(cif)
    sizes = np.array([joints, len(caf), *cif.shape[2:], problem.stride, MAX_POSES], np.int64)
    numbers = np.array(problem.thresholds.numbers())
    poses = np.empty((MAX_POSES, joints, 4))
    arrays = (cif, caf, edges, sizes, numbers, poses)
    count = library.imrep_composite_decode(*(ctypes.c_void_p(a.ctypes.data) for a in arrays))
    if count < 0:
        raise MemoryError
    return poses[:count].copy()
