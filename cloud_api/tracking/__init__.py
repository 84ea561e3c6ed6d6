"""The track role: what the gateways send becomes the live picture."""
