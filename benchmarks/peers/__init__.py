"""The same job as its users would do it with other tools: DuckDB SQL, Polars, pandas with Decimal objects.

They read plain CSV under the contract's own headings, of codes that are already customs' codes, and know neither receipts nor
a ledger of earlier runs. All else is the same: rules, rejection of whole inventories, merge, cut, weights, outputs, ledger rows.
None writes a manifest, hashes or a report, or looks anything up: what is left out makes the peers faster, never slower.
"""
