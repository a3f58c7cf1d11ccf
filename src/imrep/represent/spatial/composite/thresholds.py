"""Numbers of the decoder, shared by its plain form and its kernel."""

from dataclasses import astuple, dataclass

NEIGHBOURS = 16  # cells that a joint's patch has: their confidences add up to 1
OCCUPANCY_PX = 2  # pixels per cell of the map of occupied positions
MIN_OCCUPIED_PX = 4.0  # half of an occupied square's side, at least
SUPPRESSED = 1e-5  # factor of a joint where a surer pose has the same one
COMPLETION_CONFIDENCE = 0.001  # of associations, where poses are completed
COMPLETION_WINDOW = 2.0  # scales around a joint, likewise
MAX_POSES = 2000  # per image: those of the surest seeds
FLOODED = 1e-5  # confidence of a joint that was set to its neighbour's position


@dataclass(frozen=True)
class Thresholds:
    """Confidences below which the decoder leaves something out.

    Args:
        intensity: Of a cell of a joint's field that enters the map of pixels.
        seed: Of a joint that a pose starts from.
        association: Of a cell of an edge's field.
        joint: Of a joint of a pose.
        relative: Of a joint, as a share of that of the joint it was reached from.
        pose: Mean over all joints, of a pose.
        window: Scales around a joint within which associations start.
        reverse_match: Whether the connection back must end at the joint that it came from.
        force_complete: Whether poses get all joints, however uncertain.
    """

    intensity: float = 0.3
    seed: float = 0.2
    association: float = 0.3
    joint: float = 0.15
    relative: float = 0.5
    pose: float = 0.15
    window: float = 0.5
    reverse_match: bool = True
    force_complete: bool = False

    def numbers(self) -> tuple[float, ...]:
        """All of them, in their order."""
        return tuple(map(float, astuple(self)))
