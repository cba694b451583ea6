"""The ledger (台账): which inventories were declared, in which run, with which content, and what became of them.

tables.py says what it holds, store.py how its file is opened and copied, record.py what is written, query.py what is asked,
chain.py how later changes by hand are found, migrations.py how an earlier version becomes this one.
"""
