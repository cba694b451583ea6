"""Files, archives and streams: the bytes that are read, and that they do not change meanwhile."""
