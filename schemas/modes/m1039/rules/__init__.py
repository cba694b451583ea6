"""The rules of 1039, by what they look at: a line, a trade slip, all slips of a run; and what excludes a slip."""
