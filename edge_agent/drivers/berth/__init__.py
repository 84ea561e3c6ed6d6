"""Driver of berth cabinets (mooring hooks, docking laser) by Modbus TCP, read only."""
