"""Driver of ship-to-shore cranes by Modbus TCP, read only."""
