"""The ledger as one SQLite file: every SQL statement of this program.

tables.py says what it holds, store.py how its file is opened and copied, record.py what a run writes, amend.py what is changed
afterwards, answers.py and settle.py what customs said and what comes of it, query.py, customs.py and periods.py what is asked,
seal.py and verify.py how changes by hand are found, migrations.py how an earlier version becomes this one. ledger.py puts all
this behind the verbs of a ledger.
"""
