"""What worker processes import before their first task; by name, so that naming it imports nothing."""

PRELOAD = "aggregator.pipeline.preload"
