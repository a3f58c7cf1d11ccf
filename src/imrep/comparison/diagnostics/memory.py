"""Peak memory of encoding, measured once for each candidate and size."""

from collections.abc import Sequence
from pathlib import Path

from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.embedding import cache, peak_memory
from imrep.types import Progress


def encoding_memory(encoded: Sequence[EncodedCandidate], progress: Progress) -> dict[str, int]:
    """Peak memory in bytes, on one thread, by the spec that rebuilds the candidate.

    Objects without such a spec are left out: no other process could build them.
    """
    peaks: dict[str, int] = {}
    missing: list[tuple[str, int]] = []
    paths: dict[str, Path] = {}
    for each in encoded:
        spec = each.candidate.rebuild_spec
        if not spec:
            continue
        key = cache.key("memory", each.candidate.fingerprint, each.side)
        paths[spec] = cache.folder("memory", key) / "bytes.json"
        stored = cache.read_json(paths[spec])
        if stored is None:
            missing.append((spec, each.side))
        else:
            peaks[spec] = stored
    if missing:
        progress("peak memory of encoding", 0, len(missing))
    for spec, peak in peak_memory.peaks(missing, 1).items():
        cache.write_json(paths[spec], peak)
        peaks[spec] = peak
    return peaks
