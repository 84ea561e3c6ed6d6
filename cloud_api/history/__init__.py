"""History: every record that a gateway was told it may forget, and the ledger that proves it."""
