"""The ledger in a PostgreSQL database, for several hosts.

tables.py says what it holds, store.py how it is made, opened and locked, connection.py what the common statements (../sql) are
executed with, refusals.py what PostgreSQL's errors mean, seal.py and verify.py how changes by hand are found. Needs psycopg
(extra `postgres`): nothing of this is imported unless a ledger is named by a URL.
"""
