"""Everything that is read: exports, receipts, tariff tables, messages of customs."""
