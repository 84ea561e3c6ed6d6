"""Driver of AIS receivers and instruments that speak IEC 61162-1 (NMEA 0183)."""
