"""Hashing beside the reading of a file: the same hash, and never a file in memory that waits for it."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor

from aggregator.inputs.sources.unchanged import Sealing

PIECES = [bytes([number]) * 1000 for number in range(100)]


def test_reading_waits_for_hashing_where_that_is_the_slower_of_the_two() -> None:
    """Both were as fast on some machines; on others a third of the file was held."""
    may_hash, added = threading.Event(), list[bytes]()
    with ThreadPoolExecutor(1) as beside:
        beside.submit(may_hash.wait, 60)
        sealing = Sealing(beside)

        def read() -> None:
            for piece in PIECES:
                sealing.add(piece)
                added.append(piece)

        reader = threading.Thread(target=read)
        reader.start()
        reader.join(0.3)
        waiting = len(added)
        may_hash.set()
        reader.join(60)
    assert 1 <= waiting <= 16
    assert added == PIECES
    assert sealing.sha256() == hashlib.sha256(b"".join(PIECES)).hexdigest()
