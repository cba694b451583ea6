"""The kinds of pollution. Importing them registers them."""

from tests.pollution.kinds import cells, columnar, encodings, files, heads, messages, quotes, rows, workbooks

__all__ = ["cells", "columnar", "encodings", "files", "heads", "messages", "quotes", "rows", "workbooks"]
