"""``python -m gateway status``: what the gateway on this device says about itself, for a technician.

Exit codes: 0 it answered, 2 usage or config error, 75 it does not answer.
"""

import urllib.request
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from contracts.errors import ConfigError, LinkError
from contracts.health import ClassStatus
from firmware_configs.loading import PROFILES_DIR, load_device
from gateway.alarms.active import SourceAlarm
from gateway.local.advice import advise
from gateway.local.board import LocalStatus
from gateway.local.figures import CLASS_NAMES, UNKNOWN, size, span, years
from gateway.local.html import ALARM_NAMES

TIMEOUT_S = 5.0
MAX_BYTES = 1024 * 1024
DEFAULT_URL = "http://127.0.0.1:9401"


def status(
    url: Annotated[str | None, typer.Option(help=f"Dirección / address ({DEFAULT_URL})")] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="DEVICE.yaml", help="Tomar la dirección del perfil / address of a profile")
    ] = None,
    profiles: Annotated[
        Path, typer.Option(metavar="DIR", help="Perfiles de hardware y puertos / hardware and sites")
    ] = PROFILES_DIR,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False,
) -> None:
    """Mostrar el estado del equipo / show the state of the gateway."""
    if config is not None:
        local = load_device(config, profiles).local
        url = f"http://{local.host}:{local.port}"
    body = _fetch(f"{url or DEFAULT_URL}/status.json")
    if as_json:
        typer.echo(body.decode())
        return
    try:
        newest = msgspec.json.decode(body, type=LocalStatus)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        hint = "is another program on this port?"
        raise LinkError("read status", url or DEFAULT_URL, str(exc), hint, "not_a_status") from exc
    for line in describe(newest):
        typer.echo(line)


def describe(newest: LocalStatus) -> list[str]:
    """Return the state in lines, Spanish first."""
    report = newest.status
    link = newest.uplink
    error_ms = f" ±{report.clock.error_ms:.0f} ms" if report.clock.error_ms is not None else ""
    buffered = sum(stream.buffered_records for stream in report.streams)
    oldest = f", {span(report.oldest_unacknowledged_s)}" if report.oldest_unacknowledged_s is not None else ""
    lines = [
        f"Equipo / gateway: {report.site}.{report.gateway}, PortTrack {report.software}",
        f"Reloj / clock: {report.clock.state.value}{error_ms}",
        f"Enlace / uplink: {'conectado / up' if link.is_up else 'CAÍDO / DOWN'} {link.broker}",
    ]
    if not link.is_up:
        lines.append(f"  {link.reason}: {link.cause} ({link.hint})")
    share = 100 * newest.used_bytes / newest.capacity_bytes if newest.capacity_bytes else 0
    lines.append(f"Pendiente / buffered: {buffered} registros / records{oldest}, {share:.1f} %")
    lines.extend(_class_line(each) for each in report.classes)
    lines.append(f"Sin enlace cabe / room without uplink: {span(report.headroom_s)}")
    replay = UNKNOWN if report.replay_records_per_s is None else f"{report.replay_records_per_s:.1f}/s"
    lines.append(f"Envío / replay: {replay}, vaciado / drained in {span(report.drain_s)}")
    lines.append(f"Tarjeta / card: {size(report.flash_bytes_per_day)} al día / a day")
    lines.append(f"  proyección, una nueva duraría / projection, a new one would last: {years(report.card_life_days)}")
    if report.is_volatile:
        lines.append("SOLO EN MEMORIA / IN MEMORY ONLY")
    if report.quarantined_batches:
        lines.append(f"Apartados / set aside: {report.quarantined_batches} lotes / batches")
    if newest.trouble:
        lines.append(f"DISCO / DISK: {newest.trouble}")
    for spanish, english in advise(newest):
        lines += [f"  → {spanish}", f"    {english}"]
    lines.extend(_alarm_line(each) for each in newest.alarms)
    lines.append("Fuentes / sources:")
    for source in report.sources:
        place = f" @{source.place}" if source.place else ""
        lines.append(
            f"  {source.source} ({source.kind}{place}): {source.state}, {source.records} registros / records, "
            f"{source.restarts} reinicios / restarts{': ' + source.last_error if source.last_error else ''}"
        )
    return lines


def _class_line(each: ClassStatus) -> str:
    reach = "" if each.oldest_age_s is None else f", {span(each.oldest_age_s)}"
    rate = UNKNOWN if each.bytes_per_s is None else f"{size(each.bytes_per_s)}/s"
    bound = (
        "" if each.capacity_bytes is None else f", tope / bound {size(each.capacity_bytes)}: {span(each.headroom_s)}"
    )
    name = CLASS_NAMES.get(each.record_class, each.record_class)
    return f"  {name}: {each.buffered_records}, {size(each.buffered_bytes)}{reach}, {rate}{bound}"


def _alarm_line(each: SourceAlarm) -> str:
    alarm = each.alarm
    spanish, english = ALARM_NAMES.get(alarm.alarm, (alarm.alarm, alarm.alarm))
    where = " ".join(text for text in (each.place or each.source, alarm.subject) if text)
    value = "-" if alarm.value is None else f"{alarm.value:g} {alarm.unit}"
    limit = "" if alarm.limit is None else f", límite / limit {alarm.limit:g}"
    severity = "ALARMA / ALARM" if alarm.severity == "alarm" else "Aviso / warning"
    return f"{severity}: {spanish} / {english}, {where}: {value}{limit}"


def _fetch(url: str) -> bytes:
    if not url.startswith("http://"):
        raise ConfigError("read status", url, "not an http address", f"for example {DEFAULT_URL}", "invalid")
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310 - the scheme is checked above
            return bytes(answer.read(MAX_BYTES))
    except (OSError, ValueError) as exc:
        hint = "is the gateway running? does local.port agree?"
        raise LinkError("read status", url, str(exc), hint, "no_answer") from exc
