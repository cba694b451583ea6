"""Who runs tasks, where shards lie, and who moves data between tasks."""
