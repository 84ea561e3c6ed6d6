"""What is left of a damaged outbox, read without SQLite's help, and carried into a new one."""
