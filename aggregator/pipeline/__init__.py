"""The order of the steps over chunks and shards: ingest, resolve, emit; and what they leave for one another."""
