"""Channels of a ship-to-shore crane. Ranges are those of the largest cranes built; a map may only narrow them."""

from edge_agent.channels import Channel

CHANNELS = (
    Channel("hoist_load_t", "t", -5, 250, 0.01),
    Channel("is_spreader_locked", "bool"),
    Channel("is_spreader_landed", "bool"),
    Channel("trolley_m", "m", -50, 100, 0.01),
    Channel("hoist_m", "m", -40, 80, 0.01),
    Channel("gantry_m", "m", 0, 20_000, 0.01),
    Channel("wind_mps", "m/s", 0, 100, 0.1),
    Channel("is_twin", "bool"),
    Channel("cycle_no", "count", 0, 2**32 - 1, 1),
    Channel("plc_boot_no", "count", 0, 2**32 - 1, 1),
)
