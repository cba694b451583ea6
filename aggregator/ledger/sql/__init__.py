"""What is the same in every kind of ledger that keeps tables: the statements that SQLite and PostgreSQL both understand.

words.py says in SQL what is declared and what is not, connection.py what a kind brings to be asked, record.py what a run writes,
amend.py what is changed afterwards, answers.py and settle.py what customs said and what comes of it, query.py, customs.py and
periods.py what is asked, chain.py and verify.py how changes by hand are found. ledger.py puts all this behind the verbs of a
ledger; how a ledger is made, opened, locked, sealed and copied is its kind's own.
"""
