"""The same ridge by a Cholesky factor, for training sets too large to decompose at every fold.

One penalty costs a third of the cube of the number of images where the decomposition costs ten
times that; what the ridge predicts for groups left out follows from the inverse.

References:
    G. C. Cawley and N. L. C. Talbot, "Fast exact leave-one-out cross-validation of sparse
    least-squares support vector machines", Neural Networks 17(10), 2004.
    doi:10.1016/j.neunet.2004.07.002
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray as Array
from scipy.linalg.lapack import spotrf, spotri, spotrs

from imrep.errors import BadData
from imrep.estimators.targets import RidgeTargets


@dataclass(frozen=True)
class Factored:
    """The ridge of one penalty.

    Attributes:
        targets: What is fitted.
        factor: Upper Cholesky factor of K + λ diag(1/w), in Fortran order.
        ones: The inverse times a vector of ones.
        alpha: Coefficients of the training images.
        intercept: Added to every score.
    """

    targets: RidgeTargets
    factor: Float32[Array, "n n"]
    ones: Float[Array, " n"]
    alpha: Float[Array, "n c"]
    intercept: Float[Array, " c"]

    @staticmethod
    def of(kernel: Float32[Array, "n n"], penalty: float, targets: RidgeTargets) -> "Factored":
        """Factor the kernel among the training images, which is overwritten.

        Raises:
            BadData: The kernel is not positive definite in single precision.
        """
        kernel.ravel()[:: len(kernel) + 1] += (penalty / targets.root**2).astype(np.float32)
        factor, failed = spotrf(kernel.T, lower=0, overwrite_a=1, clean=0)
        if failed:
            raise BadData("the probe met vectors too alike to be told apart. Leave them out.")
        sides = np.column_stack([targets.values, np.ones(len(targets))]).astype(np.float32)
        solved = spotrs(factor, sides, lower=0)[0].astype(np.float64)
        x, ones = solved[:, :-1], solved[:, -1]
        intercept = x.sum(0) / ones.sum()
        return Factored(targets, factor, ones, x - np.outer(ones, intercept), intercept)

    def left_out(self) -> Float[Array, "n c"]:
        """Prediction for each training image by the ridge fitted without its group.

        The factor is overwritten by the inverse, so that this is asked once and last.
        """
        inverse = spotri(self.factor, lower=0, overwrite_c=1)[0]  # its upper triangle
        total = self.ones.sum()
        diagonal = inverse.diagonal() - self.ones**2 / total
        left_out = self.targets.values - self.alpha / diagonal[:, None]
        for groups in self.targets.left_out:
            rows, columns = groups[:, :, None], groups[:, None, :]
            block = inverse[np.minimum(rows, columns), np.maximum(rows, columns)].astype(np.float64)
            block -= self.ones[rows] * self.ones[columns] / total
            without = np.linalg.solve(block, self.alpha[groups])
            left_out[groups] = self.targets.values[groups] - without
        return left_out
