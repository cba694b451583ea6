"""The shapes that real exports come in, sound and damaged, each with what is to be said of it: for users to see, and for the
tests to hold the readers to."""

from aggregator.samples.shapes.messages import MESSAGES
from aggregator.samples.shapes.packed import PACKED
from aggregator.samples.shapes.shape import Answer, Shape, lines
from aggregator.samples.shapes.text import TEXT
from aggregator.samples.shapes.workbooks import WORKBOOKS

SHAPES: tuple[Shape, ...] = (*TEXT, *WORKBOOKS, *MESSAGES, *PACKED)

__all__ = ["SHAPES", "Answer", "Shape", "lines"]
