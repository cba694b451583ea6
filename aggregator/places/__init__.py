"""Where exports are and run folders go: a local disk, or object storage. What differs between them stands behind one Protocol."""
