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
    Channel("gust_10min_mps", "m/s", 0, 100, 0.1),
)
WEATHER = (
    Channel("air_temperature_c", "°C", -60, 60, 0.1),
    Channel("humidity_pct", "%", 0, 100, 0.1),
    Channel("pressure_hpa", "hPa", 850, 1_100, 0.1),
    Channel("water_temperature_c", "°C", -5, 45, 0.1),
    Channel("dew_point_c", "°C", -60, 60, 0.1),
)
WATER_SPEED = (
    Channel("speed_kn", "kn", -100, 100, 0.1),
    Channel("heading_deg", "deg", 0, 360, 0.1),
)
GNSS = (
    Channel("lon_deg", "deg", -180, 180, 1e-6),
    Channel("lat_deg", "deg", -90, 90, 1e-6),
    Channel("altitude_m", "m", -20_000, 20_000, 0.1),
    Channel("sog_kn", "kn", 0, 1_000, 0.1),
    Channel("cog_deg", "deg", 0, 360, 0.1),
    Channel("lon_error_m", "m", 0, 100_000, 0.1),
    Channel("lat_error_m", "m", 0, 100_000, 0.1),
    Channel("altitude_error_m", "m", 0, 100_000, 0.1),
)
RADAR = (
    Channel("distance_m", "m", 0, 250_000, 1),
    Channel("bearing_deg", "deg", 0, 360, 0.1),
    Channel("sog_kn", "kn", 0, 1_000, 0.1),
    Channel("cog_deg", "deg", 0, 360, 0.1),
    Channel("cpa_m", "m", 0, 250_000, 10),
    Channel("tcpa_s", "s", -600_000, 600_000, 6),
)
DEPTH = (
    Channel("below_transducer_m", "m", 0, 12_000, 0.1),
    Channel("offset_m", "m", -100, 100, 0.1),
)
