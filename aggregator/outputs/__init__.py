"""What a run folder holds, one format a file."""
