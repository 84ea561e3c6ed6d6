"""Channels of sentence sources: what their payloads carry, with unit and plausible range.

AIS positions, speeds and courses have the ranges of ITU-R M.1371-5; they are checked where the bits are read
(``edge_agent/parsers``), so they are stated here for the reader and for the test that compares names and payloads.
"""

from edge_agent.channels import Channel

AIS = (
    Channel("lon_deg", "deg", -180, 180, 1 / 600_000),
    Channel("lat_deg", "deg", -90, 90, 1 / 600_000),
    Channel("sog_kn", "kn", 0, 1022, 0.1),
    Channel("cog_deg", "deg", 0, 359.9, 0.1),
    Channel("heading_deg", "deg", 0, 359, 1),
    Channel("draught_m", "m", 0.1, 25.5, 0.1),
)
WIND = (
    Channel("speed_mps", "m/s", 0, 100, 0.1),
    Channel("direction_deg", "deg", 0, 360, 0.1),
    Channel("gust_3s_mps", "m/s", 0, 100, 0.1),
)
DEPTH = (
    Channel("below_transducer_m", "m", 0, 12_000, 0.1),
    Channel("offset_m", "m", -100, 100, 0.1),
)
