"""A result for people and machines: terminal, JSON, metrics, the rule book."""
