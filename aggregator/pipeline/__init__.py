"""The work on one chunk or one partition: what a worker process does between two barriers of the line.

    stage    a chunk of the input       -> typed lines and row findings on disk
    settle   complete inventories       -> verdicts, partial sums of the merge
    finish   the same, numbered         -> weights, audit map, rejected, excluded, findings

Each function writes files into the work folder and returns what the barrier needs. The result is the same in whatever
process or order it runs.
"""

from aggregator.pipeline.emit import Finished, Numbering, finish_chunk, finish_partition
from aggregator.pipeline.ingest import Staged, stage_chunk
from aggregator.pipeline.resolve import Settled, settle_chunk, settle_partition
from aggregator.pipeline.tied import leave_tied
from aggregator.pipeline.work import Work

__all__ = [
    "Finished",
    "Numbering",
    "Settled",
    "Staged",
    "Work",
    "finish_chunk",
    "finish_partition",
    "leave_tied",
    "settle_chunk",
    "settle_partition",
    "stage_chunk",
]
