"""Channels of a berth cabinet. Quick-release hooks are built up to 2,500 kN, docking lasers reach 300 m."""

from edge_agent.channels import Channel

CHANNELS = (
    Channel("hook_tension_kn", "kN", 0, 3000, 0.1, is_list=True),
    Channel("distance_m", "m", 0, 500, 0.01),
    Channel("approach_speed_mps", "m/s", -5, 5, 0.001),
)
