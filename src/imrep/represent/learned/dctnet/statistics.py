"""Mean and standard deviation of each frequency in photographs, by which inputs are normalised.

Measured on photographs of COCO whose short side is 448 pixels, in JPEG's units. The deviation is
that of the coefficients themselves. (The authors' released constants of the same name hold that of
the means of images, which is far smaller for all but the lowest frequencies.)
"""

import torch
from torch import Tensor

from imrep.ops.fourier.block_dct import Rows, channels

_MEANS = (-137.1, -54.2, 38.5)  # of the constant frequency of Y, Cb and Cr; the others have none
# fmt: off
_DEVIATIONS = (
    (  # Y, by vertical and horizontal frequency
        (512, 82.2, 44.1, 28.5, 20.6, 14.8, 10.6, 7.85),
        (87.2, 40.4, 26.7, 18.5, 13.6, 10, 7.33, 5.47),
        (47.1, 27.4, 20.4, 15.2, 11.2, 8.55, 6.25, 4.62),
        (30.6, 19.5, 15.5, 12.2, 9.52, 7.2, 5.33, 3.97),
        (21.4, 14.4, 11.8, 9.64, 7.72, 6.04, 4.53, 3.43),
        (15.2, 10.7, 8.99, 7.33, 6.14, 4.85, 3.69, 2.81),
        (10.9, 7.86, 6.57, 5.56, 4.63, 3.73, 2.89, 2.23),
        (7.83, 5.8, 4.95, 4.22, 3.51, 2.85, 2.24, 1.75),
    ),
    (  # Cb, by vertical and horizontal frequency
        (131, 18.3, 9.38, 5.93, 4.21, 2.93, 2.1, 1.48),
        (19, 8.8, 5.89, 4.06, 2.97, 2.2, 1.61, 1.19),
        (10.3, 6.07, 4.49, 3.33, 2.53, 1.92, 1.4, 1.05),
        (6.71, 4.34, 3.46, 2.7, 2.14, 1.64, 1.21, 0.896),
        (4.73, 3.28, 2.69, 2.2, 1.77, 1.39, 1.07, 0.787),
        (3.42, 2.48, 2.11, 1.76, 1.46, 1.16, 0.873, 0.676),
        (2.5, 1.89, 1.65, 1.4, 1.15, 0.935, 0.724, 0.546),
        (1.86, 1.48, 1.31, 1.11, 0.934, 0.768, 0.596, 0.454),
    ),
    (  # Cr, by vertical and horizontal frequency
        (118, 18.9, 9.44, 5.89, 3.99, 2.65, 1.79, 1.26),
        (19.5, 9.12, 5.89, 3.94, 2.76, 1.94, 1.36, 0.99),
        (10.4, 6.07, 4.42, 3.12, 2.27, 1.63, 1.15, 0.852),
        (6.35, 4.18, 3.27, 2.48, 1.86, 1.35, 0.957, 0.703),
        (4.4, 3.02, 2.41, 1.92, 1.46, 1.11, 0.798, 0.585),
        (3.09, 2.18, 1.78, 1.44, 1.12, 0.868, 0.636, 0.482),
        (2.19, 1.57, 1.28, 1.06, 0.84, 0.645, 0.484, 0.382),
        (1.54, 1.16, 0.954, 0.795, 0.641, 0.505, 0.396, 0.32),
    ),
)
# fmt: on


def of(rows: tuple[Rows, Rows, Rows]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of the channels of Y, Cb and Cr, each (channel, 1, 1)."""
    deviations = torch.tensor(_DEVIATIONS)
    means = torch.zeros_like(deviations)
    means[:, 0, 0] = torch.tensor(_MEANS)
    selected = [
        torch.cat([channels(table[p, None, :, :, None, None], rows[p])[0] for p in range(3)])
        for table in (means, deviations)
    ]
    return selected[0], selected[1]
