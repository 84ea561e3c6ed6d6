"""The reading API of the history: tracks of vessels and series of sensors, as JSON, CSV and GeoJSON."""
