"""Vessels as the live picture has them, and their tracks as history has them."""
