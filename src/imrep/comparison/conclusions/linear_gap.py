"""How far a linear classifier may lie from the one that judged before it is worth a note."""

LARGE = 0.08  # difference of two accuracies
_EPSILON = 1e-9  # 0.68 - 0.60 is below 0.08 in binary


def is_large(accuracy: float, linear: float) -> bool:
    """Whether the two accuracies, in [0, 1], are 8 points or more from each other."""
    return abs(accuracy - linear) >= LARGE - _EPSILON
