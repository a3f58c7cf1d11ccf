"""The choice of kernel and penalty, and the images that it is made on."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from imrep.estimators.kernels import Kernels
from imrep.estimators.model import fit
from imrep.estimators.selection import subset
from imrep.estimators.targets import Targets


@given(st.integers(2, 5), st.integers(1, 4), st.integers(20, 80))
def test_subset_takes_complete_groups_with_every_class_in_proportion(classes, size, wanted):
    labels = np.arange(240) // size % classes
    groups = np.arange(240) // size
    targets = Targets.of(labels, groups, classes)
    taken = subset(targets, wanted)
    assert (np.diff(taken) > 0).all()
    assert np.isin(groups, groups[taken]).sum() == len(taken)
    share = np.bincount(labels[taken], minlength=classes)
    lacking = np.ceil(wanted * np.bincount(labels) / 240)
    assert (share >= lacking).all() and (share < lacking + size).all()


def test_subset_of_few_images_is_all_of_them():
    targets = Targets.of(np.arange(50) % 2, np.arange(50), 2)
    assert subset(targets).tolist() == list(range(50))


def test_a_boundary_that_is_no_plane_chooses_a_kernel_that_bends():
    rng = np.random.default_rng(0)
    radius = np.repeat([1.0, 3.0], 100)
    angle = rng.uniform(0, 2 * np.pi, 200)
    z = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    z = (z + 0.2 * rng.normal(size=z.shape)).astype(np.float32)
    targets = Targets.of(np.repeat([0, 1], 100), np.arange(200), 2)
    best, linear = fit(Kernels(z, "it"), np.arange(200), targets)
    assert best.kernel == "exponential"
    assert best.loss < 0.2 < linear.loss
