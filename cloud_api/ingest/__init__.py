"""The store role: what gateways send becomes history, and only then a receipt."""
