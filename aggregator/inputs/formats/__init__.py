"""Text, workbooks and Parquet: bytes to rows of text cells."""
