"""The gateway's page for a phone on the quay: alarms, uplink, store, sources. Spanish first, English beside.

Plain HTML: no script, no picture, nothing from elsewhere, so that it works with no network at all. It asks the browser
to load it again every second. Every text that comes from a device or a profile is escaped.
"""

from html import escape

from contracts.health import ClassStatus
from gateway.local.advice import advise
from gateway.local.board import LocalStatus
from gateway.local.figures import CLASS_NAMES, size, span, years

REFRESH_S = 1
"""An alarm is on the page one refresh after it is on disk."""

CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

ALARM_NAMES = {
    "crane_wind_warning": ("Viento: aviso", "Wind: warning"),
    "crane_wind_stop": ("Viento: parada", "Wind: stop"),
    "mooring_tension_high": ("Amarre: tensión alta", "Mooring: tension high"),
    "mooring_load_high": ("Amarre: carga alta", "Mooring: load high"),
    "mooring_tension_slack": ("Amarre: cabo flojo", "Mooring: line slack"),
    "mooring_tension_imbalance": ("Amarre: reparto desigual", "Mooring: out of balance"),
    "approach_speed_warning": ("Aproximación: aviso", "Approach: warning"),
    "approach_speed": ("Aproximación: velocidad alta", "Approach: too fast"),
    "antenna_moved": ("Antena desplazada", "Antenna has moved"),
}
"""Name of each alarm that drivers make; another is shown by its word."""

STATES = {
    "starting": "arrancando / starting",
    "running": "en marcha / running",
    "backoff": "en espera / backing off",
    "stopped": "parado / stopped",
}

_STYLE = """
body{font:16px/1.4 system-ui,sans-serif;margin:0 auto;max-width:40rem;padding:.75rem;background:#fff;color:#111}
h1{font-size:1.2rem;margin:0}h2{font-size:1rem;margin:1.2rem 0 .3rem}p{margin:.2rem 0}small{color:#444}
ul{list-style:none;margin:0;padding:0}
li{border-left:.35rem solid #0a6b2d;padding:.3rem .6rem;margin:.3rem 0;background:#f3f3f3}
.alarm{border-color:#b00020;background:#fde7ea}.warning{border-color:#b36b00;background:#fff3df}
""".strip()

_NS = 1_000_000_000


def render(newest: LocalStatus | None, now_ns: int, now_mono_ns: int) -> bytes:
    """Return the page.

    Args:
        newest: what is known, None before the first status.
        now_ns: UTC ns by the gateway's clock, for alarms of an earlier boot.
        now_mono_ns: monotonic clock, ns, for all other ages.
    """
    if newest is None:
        body = ["<h1>PortTrack</h1><p>Arrancando / starting</p>"]
    else:
        status = newest.status
        since_s = max(0, now_mono_ns - newest.at_mono_ns) / _NS
        name = f"{escape(status.site)} · {escape(status.gateway)}"
        told = f"PortTrack {escape(status.software)} · estado / status {since_s:.0f} s"
        body = [f"<h1>{name}</h1><p><small>{told}</small></p>"]
        body += [_alarms(newest, now_ns, now_mono_ns), _advice(newest), _uplink(newest), _store(newest)]
        body.append(_sources(newest, since_s))
    head = (
        '<!doctype html><html lang="es"><head><meta charset="utf-8"><title>PortTrack</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="refresh" content="{REFRESH_S}"><style>{_STYLE}</style></head><body>'
    )
    return f"{head}{''.join(body)}</body></html>\n".encode()


def _alarms(newest: LocalStatus, now_ns: int, now_mono_ns: int) -> str:
    items = []
    for each in newest.alarms:
        alarm = each.alarm
        spanish, english = ALARM_NAMES.get(alarm.alarm, (alarm.alarm, alarm.alarm))
        where = " · ".join(escape(text) for text in (each.place or each.source, alarm.subject) if text)
        value = "—" if alarm.value is None else f"{alarm.value:g}"
        limit = "" if alarm.limit is None else f" (límite / limit {alarm.limit:g})"
        age_s = each.age_s(now_ns, now_mono_ns, newest.status.boot_id)
        kind = "alarm" if alarm.severity == "alarm" else "warning"
        items.append(
            f'<li class="{kind}"><b>{escape(spanish)}</b> / {escape(english)}<br>{where}: '
            f"{value} {escape(alarm.unit)}{limit} <small>desde / since {age_s:.0f} s</small></li>"
        )
    shown = f"<ul>{''.join(items)}</ul>" if items else "<p>Ninguna / none</p>"
    return f"<h2>Alarmas activas / active alarms: {len(items)}</h2>{shown}"


def _advice(newest: LocalStatus) -> str:
    items = [
        f'<li class="warning">{escape(spanish)}<br><small>{escape(english)}</small></li>'
        for spanish, english in advise(newest)
    ]
    return f"<h2>Qué hacer / what to do</h2><ul>{''.join(items)}</ul>" if items else ""


def _uplink(newest: LocalStatus) -> str:
    link = newest.uplink
    if link.is_up:
        return f"<h2>Enlace / uplink</h2><ul><li>Conectado / up: {escape(link.broker)}</li></ul>"
    cause = f"{escape(link.reason)}: {escape(link.cause)} <small>{escape(link.hint)}</small>"
    item = f'<li class="warning"><b>CAÍDO / DOWN</b> {escape(link.broker)}<br>{cause}</li>'
    return f"<h2>Enlace / uplink</h2><ul>{item}</ul>"


def _store(newest: LocalStatus) -> str:
    status = newest.status
    buffered = sum(stream.buffered_records for stream in status.streams)
    share = 100 * newest.used_bytes / newest.capacity_bytes if newest.capacity_bytes else 0
    age_s = status.oldest_unacknowledged_s
    oldest = "" if age_s is None else f" · el más antiguo / oldest {span(age_s)}"
    lines = [f"<li>Pendientes / buffered: {buffered}{oldest} · {share:.1f} %</li>"]
    room = f"<li>Sin enlace cabe / room without uplink: {span(status.headroom_s)}"
    lines.append(f"{room}<br><small>vaciado / drained in {span(status.drain_s)}</small></li>")
    lines += [_class(each) for each in status.classes]
    if status.flash_bytes_per_day is not None:
        written = f"Tarjeta / card: {size(status.flash_bytes_per_day)} al día / a day"
        lines.append(f"<li><small>{written} · proyección / projection {years(status.card_life_days)}</small></li>")
    if newest.trouble:
        lines.append(f'<li class="alarm"><b>DISCO / DISK</b> {escape(newest.trouble)}</li>')
    if status.quarantined_batches:
        lines.append(f'<li class="warning">Apartados / set aside: {status.quarantined_batches}</li>')
    return f"<h2>Almacén / store</h2><ul>{''.join(lines)}</ul>"


def _class(each: ClassStatus) -> str:
    name = CLASS_NAMES.get(each.record_class, escape(each.record_class))
    reach = "—" if each.oldest_age_s is None else span(each.oldest_age_s)
    return f"<li><small>{name}: {each.buffered_records} · {size(each.buffered_bytes)} · {reach}</small></li>"


def _sources(newest: LocalStatus, since_s: float) -> str:
    items = []
    for source in newest.status.sources:
        is_well = source.state == "running" and not source.last_error
        place = f" @ {escape(source.place)}" if source.place else ""
        last = "—" if source.last_record_age_s is None else f"{source.last_record_age_s + since_s:.0f} s"
        error = f"<br>{escape(source.last_error)}" if source.last_error else ""
        items.append(
            f'<li class="{"well" if is_well else "warning"}"><b>{escape(source.source)}</b>{place}: '
            f"{escape(STATES.get(source.state, source.state))}<br><small>{source.records} registros / records · "
            f"último / last {last} · reinicios / restarts {source.restarts}</small>{error}</li>"
        )
    return f"<h2>Fuentes / sources</h2><ul>{''.join(items)}</ul>"
