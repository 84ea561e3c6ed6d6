"""The demonstration hardware of a site as real endpoints: ptys, TCP servers, Modbus TCP servers.

The physics (ships, cranes, weather, moorings) is sans-io and seeded: it is given the time and steps on a fixed grid, so
that a run can be repeated whatever the load of the machine. The shells around it only carry bytes. Simulators serve
tests and demonstrations; nothing here is ever loaded by a gateway that runs real hardware.
"""
