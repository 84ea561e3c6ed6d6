"""Every AIS recording through the real gpsdecode: each field that it reads is ours, or the difference has a name."""

import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.support.ais_comparison import gpsd_fields, gpsd_messages, ours, pair
from tests.support.ais_known_differences import GPSD, GPSD_TALKERS, known_by, sort_out

pytestmark = pytest.mark.system

TIMEOUT_S = 60
LEAST_MESSAGES = {
    "denmark_national.nmea": 3951,
    "gpsd_sample.aivdm": 97,
    "gpsd_type6_fid55.log": 1265,
    "signalk_gofree_malformed.log": 1453,
    "signalk_nais400.log": 665,
}
SUFFIXES = {".log", ".nmea", ".aivdm"}


def gpsdecode(path: Path) -> str:
    program = shutil.which("gpsdecode")
    if program is None:
        pytest.skip("gpsdecode is not here (Debian package gpsd-clients)")
    with path.open("rb") as log:
        done = subprocess.run([program, "-u", "-j"], stdin=log, capture_output=True, timeout=TIMEOUT_S, check=True)
    return done.stdout.decode("utf-8", "replace")


def test_no_field_of_any_recording_differs_without_a_name(recordings: Path) -> None:
    files = [path for path in sorted((recordings / "ais").iterdir()) if path.suffix in SUFFIXES]
    assert {path.name for path in files} == set(LEAST_MESSAGES)
    explained: Counter[str] = Counter()
    for path in files:
        everything = ours(path.read_bytes(), is_lenient="gofree" in path.name)
        mine = [ais for ais in everything if ais.talker not in GPSD_TALKERS]
        result = pair(mine, gpsd_messages(gpsdecode(path)), gpsd_fields, known_by(GPSD))
        named, unexplained = sort_out(result.differences, GPSD)
        assert [item[:4] for item in unexplained] == [], path.name
        assert result.messages >= LEAST_MESSAGES[path.name], path.name
        explained += named
    assert set(explained) == {rule.name for rule in GPSD}, "a rule that explains nothing any more"
