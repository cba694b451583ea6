"""The ledger (台账): which inventories were declared, in which run, with which content, and what became of them.

ledger.py says what every ledger promises, at.py which kind lies at a place, chain.py how changes by hand are found, errors.py
what is said when it cannot be used. A folder for each kind: sqlite.
"""
