"""The ships of a demonstration: who they are and what they do, as a YAML file beside this module says it.

Names, numbers and voyages are fiction. Positions are degrees WGS 84, ``[longitude, latitude]``.

*Source:* IMO resolution A.1117(30) (IMO ship identification number and its check digit); ITU-R M.585 (MMSI).
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from contracts.errors import ConfigError
from firmware_configs.base import Id, Profile
from firmware_configs.loading import read_profile

FLEETS_DIR = Path(__file__).parent / "fleets"

Position = tuple[Annotated[float, Field(ge=-180, le=180)], Annotated[float, Field(ge=-90, le=90)]]
Share = Annotated[float, Field(ge=0, lt=1)]
ShipMmsi = Annotated[int, Field(ge=200_000_000, le=799_999_999)]


class Start(Profile):
    """Where a caller is at the beginning. ``berth`` for ``berth`` and ``inbound``; ``progress`` along the way."""

    at: Literal["berth", "inbound", "outbound", "anchorage", "sea"]
    berth: Id | None = None
    progress: Share = 0.0

    @model_validator(mode="after")
    def _berth_is_given_where_needed(self) -> "Start":
        if (self.at in ("berth", "inbound")) != (self.berth is not None):
            msg = "berth belongs to 'at: berth' and 'at: inbound', and is needed there"
            raise ValueError(msg)
        return self


class Call(Profile):
    """Calls at the port again and again: sea, pilot, fairway, berth, stay, out.

    Attributes:
        berths: those it may take, best first.
        stay_min: time alongside, minutes.
        sea_kn: speed outside the fairway.
        start: where it is at the beginning.
    """

    kind: Literal["call"]
    berths: list[Id] = Field(min_length=1)
    stay_min: float = Field(gt=0, le=10_000)
    sea_kn: float = Field(gt=0, le=30)
    start: Start


class Loop(Profile):
    """Sails a closed route. ``heading_offset_deg``: heading less course, for a ship that drifts."""

    kind: Literal["loop"]
    route: Id
    speed_kn: float = Field(gt=0, le=40)
    start: Share
    nav_status: int = Field(default=0, ge=0, le=14)
    heading_offset_deg: float = Field(default=0.0, ge=-180, le=180)


class AtAnchor(Profile):
    """Lies at anchor all the time."""

    kind: Literal["anchor"]


class ShipSpec(Profile):
    """One ship.

    Attributes:
        ais: class of its transponder.
        imo: IMO number; class A ships over 300 GT have one.
        ship_type: ITU-R M.1371-5 table 53.
        bow_share: part of the length that is before the AIS antenna.
        behaviour: what it does.
    """

    mmsi: ShipMmsi
    name: str = Field(min_length=1, max_length=20, pattern=r"^[A-Z0-9 .-]+$")
    callsign: str = Field(max_length=7, pattern=r"^[A-Z0-9]*$")
    imo: int | None = None
    ais: Literal["a", "b"]
    ship_type: int = Field(ge=1, le=99)
    length_m: int = Field(ge=4, le=420)
    beam_m: int = Field(ge=2, le=70)
    draught_m: float = Field(gt=0, le=25)
    bow_share: float = Field(default=0.8, gt=0, lt=1)
    destination: str = Field(default="", max_length=20)
    behaviour: Annotated[Call | Loop | AtAnchor, Field(discriminator="kind")]

    @model_validator(mode="after")
    def _imo_number_is_right(self) -> "ShipSpec":
        if self.imo is not None and not is_imo_number(self.imo):
            msg = f"imo: {self.imo} has a wrong check digit"
            raise ValueError(msg)
        return self


class Station(Profile):
    """The AIS base station, at an instrument of the site. MMSI 00MIDxxxx."""

    mmsi: int = Field(ge=2_000_000, le=7_999_999)
    instrument: Id


class Aid(Profile):
    """An AIS aid to navigation. MMSI 99MIDxxxx; ``aid_type``: ITU-R M.1371-5 table 74."""

    mmsi: int = Field(ge=992_000_000, le=997_999_999)
    name: str = Field(max_length=20)
    aid_type: int = Field(ge=0, le=31)
    at: Position


class Fleet(Profile):
    """All traffic of a demonstration.

    Attributes:
        routes: closed routes by id.
        sea_room: what callers sail between the outbound lane and the decision to enter; its last point is the gate.
        approach: what they sail from there, or from the anchorage, to the pilot boarding place.
    """

    schema_version: Literal[1] = Field(alias="schema")
    site: Id
    base_station: Station
    aids: list[Aid]
    routes: dict[Id, Annotated[list[Position], Field(min_length=3)]]
    sea_room: list[Position] = Field(min_length=1)
    approach: list[Position]
    ships: list[ShipSpec] = Field(min_length=1, max_length=500)

    @model_validator(mode="after")
    def _names_fit(self) -> "Fleet":
        numbers = [ship.mmsi for ship in self.ships]
        if len(set(numbers)) != len(numbers):
            msg = "ships: an MMSI is given twice"
            raise ValueError(msg)
        used = {ship.behaviour.route for ship in self.ships if isinstance(ship.behaviour, Loop)}
        unknown = used - set(self.routes)
        if unknown:
            msg = f"ships: no route {', '.join(sorted(unknown))}; allowed: {', '.join(sorted(self.routes))}"
            raise ValueError(msg)
        return self


def is_imo_number(number: int) -> bool:
    """Tell whether seven digits are an IMO number: digits 1 to 6 times 7 to 2, the sum's last digit is digit 7."""
    digits = [int(digit) for digit in str(number)]
    weighted = sum(digit * weight for digit, weight in zip(digits, range(7, 1, -1), strict=False))
    return len(digits) == 7 and weighted % 10 == digits[6]  # noqa: PLR2004 - an IMO number has seven digits


def load_fleet(site: str, folder: Path = FLEETS_DIR) -> Fleet:
    """Read the fleet of a site.

    Raises:
        ConfigError: there is none for the site, or it is not valid.
    """
    path = folder / f"{site}.yaml"
    if not path.is_file():
        known = sorted(entry.stem for entry in folder.glob("*.yaml"))
        cause = f"no demonstration traffic for site {site!r}"
        raise ConfigError("load fleet", str(path), cause, f"allowed: {', '.join(known) or 'none'}", "missing")
    return read_profile(path, Fleet)
