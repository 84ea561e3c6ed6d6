"""The cloud: ingest, tracking, port operations, fleet and web, as roles of one program."""
