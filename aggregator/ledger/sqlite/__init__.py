"""The ledger as one SQLite file.

tables.py says what it holds, store.py how its file is opened and copied, connection.py what the common statements (../sql) are
executed with, seal.py and verify.py how changes by hand are found, migrations.py how an earlier version becomes this one.
"""
