"""Steps of the schema, applied by alembic; see `cloud_api.operations.migrating`."""
