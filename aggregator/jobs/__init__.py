"""One command a file, read from top to bottom: run, check, receive, trace, status, doctor, ledger."""
