"""The ledger (台账): which inventories were declared, in which run, with which content, and what became of them.

tables.py says what it holds, store.py how its file is opened and copied, record.py what a run writes, amend.py what is changed
afterwards, query.py what is asked, chain.py and verify.py how changes by hand are found, migrations.py how an earlier version
becomes this one.
"""
