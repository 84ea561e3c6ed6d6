"""What a probe found, for a technician (Spanish first, English beside) and as JSON for scripts."""

import json

from edge_agent.field.probe_policy import Hearing
from edge_agent.parsers.rejects import REASONS

_UART = {
    "framing_errors": "error de trama del UART / framing error of the UART",
    "parity_errors": "error de paridad del UART / parity error of the UART",
    "overruns": "el UART perdió bytes / the UART lost bytes",
    "buffer_overruns": "el sistema perdió bytes / the system lost bytes",
}


def as_json(device: str, found: Hearing | None, heard: list[Hearing], *, is_pty: bool) -> str:
    """Return one JSON object.

    Args:
        device: what was probed.
        found: what was heard at its rate, None where none was found.
        heard: every rate that was tried, in order.
        is_pty: the device is a pseudo-terminal, which has no rate.
    """
    answer: dict[str, object] = {
        "device": device,
        "is_pty": is_pty,
        "baud": found.baud if found is not None else None,
        "is_silent": not any(hearing.size_bytes for hearing in heard),
        "tried": [
            {"baud": each.baud, "bytes": each.size_bytes, "valid": each.valid, "errors": dict(each.errors)}
            for each in heard
        ],
    }
    if found is not None:
        answer["heard_s"] = round(found.heard_s, 2)
        answer["bytes_per_s"] = round(found.size_bytes / found.heard_s, 1)
        answer["sentences"] = [
            {"address": address, "count": count, "per_s": round(count / found.heard_s, 2)}
            for address, count in found.types.most_common()
        ]
        answer["errors"] = dict(found.errors)
        answer["samples"] = found.samples
    return json.dumps(answer, ensure_ascii=False)


def as_lines(device: str, found: Hearing | None, heard: list[Hearing], *, is_pty: bool) -> list[str]:
    """Return lines for a person; arguments as ``as_json``."""
    if not any(hearing.size_bytes for hearing in heard):
        return [
            f"{device}: silencio / silence: 0 bytes en / in {sum(each.heard_s for each in heard):.0f} s",
            "  ¿equipo encendido, cable TX/RX correcto, otro puerto? / instrument on, TX/RX right, another port?",
        ]
    if found is None:
        tried = ", ".join(f"{each.baud}: {each.size_bytes} bytes" for each in heard)
        return [
            f"{device}: llegan bytes, pero ninguna frase válida / bytes arrive, but no valid sentence",
            f"  probado / tried: {tried}",
            "  ¿polaridad, masa, otro protocolo (Modbus)? / polarity, ground, another protocol (Modbus)?",
        ]
    rate = (
        "pseudoterminal, sin velocidad propia / pseudo-terminal, no rate of its own" if is_pty else f"{found.baud} Bd"
    )
    pace = f"{found.size_bytes / found.heard_s:.0f} bytes/s, {found.heard_s:.1f} s"
    lines = [f"{device}: {rate}", f"  {found.valid} frases válidas / valid sentences, {pace}"]
    lines += [
        f"  {address:8} {count:5}  {count / found.heard_s:6.2f}/s" for address, count in found.types.most_common()
    ]
    if not found.errors:
        lines.append("  sin errores / no errors")
    for reason, count in found.errors.most_common():
        meaning = REASONS.get(reason) or _UART.get(reason, reason)
        sample = found.samples.get(reason)
        lines.append(f"  error {reason}: {count} ({meaning})" + (f": {sample!r}" if sample else ""))
    return lines
