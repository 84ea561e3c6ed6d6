"""The way to the cloud: MQTT over mutual TLS, batches up, receipts and commands down."""
