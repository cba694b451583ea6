"""The words that every room may use: settings, errors, findings, references, records."""
