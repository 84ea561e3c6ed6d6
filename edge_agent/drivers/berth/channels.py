"""Channels of a berth cabinet. Quick-release hooks are built up to 2,500 kN, docking lasers reach 300 m.

The greatest tides of the world have a range of 17 m.
"""

from edge_agent.channels import Channel

CHANNELS = (
    Channel("hook_tension_kn", "kN", 0, 3000, 0.1, is_list=True),
    Channel("distance_m", "m", 0, 500, 0.01),
    Channel("approach_speed_mps", "m/s", -5, 5, 0.001),
    Channel("laser_distance_m", "m", 0, 500, 0.01, is_list=True),
    Channel("laser_approach_mps", "m/s", -5, 5, 0.001, is_list=True),
    Channel("hook_load_pct", "%", 0, 500, 0.1, is_list=True),
)
TIDE_CHANNELS = (Channel("level_m", "m", -20, 20, 0.001),)
