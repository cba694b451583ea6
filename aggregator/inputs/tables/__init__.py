"""Headings to columns, what stands around the table, cells in canonical form."""
