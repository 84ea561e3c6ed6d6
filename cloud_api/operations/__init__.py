"""The operations database: what people and services work with, apart from the history of measurements."""
