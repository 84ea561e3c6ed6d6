"""What is not as it should be, in plain words, and what to do about it: for whoever stands in front of the cabinet.

Sans-io. Spanish first. Nothing is said where all is well, nor about what is not known.
"""

from contracts.records import ClockState
from gateway.local.board import LocalStatus
from gateway.local.figures import size, span, years

LOW_HEADROOM_S = 24 * 3600.0
"""A technician comes the next working day; below it the outage outlasts the room."""
OLD_BACKLOG_S = 600.0
"""A backlog that is younger is an interruption, not a state."""
SHORT_LIFE_DAYS = 730.0
"""A card that is worn in two years is a visit to every cabinet before the next overhaul."""


def advise(newest: LocalStatus) -> list[tuple[str, str]]:
    """Return what to say, most urgent first, each in Spanish and in English."""
    return [*_store(newest), *_backlog(newest), *_device(newest)]


def _store(newest: LocalStatus) -> list[tuple[str, str]]:
    found = []
    status = newest.status
    if status.is_volatile:
        found.append(
            (
                "El disco no guarda: los datos nuevos están solo en memoria. No apague el equipo; revise la tarjeta.",
                "The disk takes nothing: new data are in memory only. Do not switch off; check the card.",
            )
        )
    elif newest.trouble:
        found.append(
            (
                "El disco no guarda. Compruebe que no está lleno ni protegido; si sigue, cambie la tarjeta.",
                "The disk takes nothing. See that it is neither full nor read-only; if it goes on, replace the card.",
            )
        )
    if status.headroom_s is not None and status.headroom_s < LOW_HEADROOM_S:
        room = span(status.headroom_s)
        found.append(
            (
                f"Sin enlace cabría {room} más. Recupere el enlace, o suba outbox.max_bytes si queda disco.",
                f"Without the uplink there is room for {room}. Restore the uplink, or raise outbox.max_bytes.",
            )
        )
    if status.quarantined_batches:
        found.append(
            (
                "Hay lotes apartados en data_dir/outbox.quarantine: envíe ese archivo a soporte.",
                "Batches were set aside in data_dir/outbox.quarantine: send that file to support.",
            )
        )
    return found


def _backlog(newest: LocalStatus) -> list[tuple[str, str]]:
    status = newest.status
    is_old = (status.oldest_unacknowledged_s or 0) > OLD_BACKLOG_S
    if not newest.uplink.is_up or not is_old or status.drain_s is not None or status.replay_records_per_s is None:
        return []
    return [
        (
            "Hay enlace, pero lo pendiente no baja: entra tanto como sale. Revise la velocidad del enlace.",
            "The uplink is up, but the backlog does not get less: as much comes in as goes out. Check the link's rate.",
        )
    ]


def _device(newest: LocalStatus) -> list[tuple[str, str]]:
    found = []
    status = newest.status
    if status.clock.state is ClockState.UNSYNCED:
        found.append(
            (
                "Reloj sin hora fiable: los datos se guardan y reciben su hora después. Revise NTP o el receptor GNSS.",
                "No reliable time: data are kept and get their time later. Check NTP or the GNSS receiver.",
            )
        )
    if status.card_life_days is not None and status.card_life_days < SHORT_LIFE_DAYS:
        life, rate = years(status.card_life_days), size(status.flash_bytes_per_day)
        found.append(
            (
                f"Una tarjeta nueva duraría {life} con {rate} al día: use una de mayor resistencia.",
                f"A new card would last {life} at {rate} a day: use one of higher endurance.",
            )
        )
    return found
