"""The site: its chart."""
