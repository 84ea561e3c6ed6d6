"""The history in an InfluxDB, or in what speaks its line protocol (docs/history_schema.md)."""
