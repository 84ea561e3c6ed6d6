"""``python -m edge_agent probe``: finds the rate of a serial port and says what arrives, how fast, with which errors.

It opens the port for itself alone and writes nothing to it.

Exit codes: 0 the rate was found, 1 silence, nothing valid, or a port that cannot be opened, 2 usage.
"""

import asyncio
import os
import stat
import sys
import time
from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from contracts.errors import LinkError
from edge_agent.field.probe_policy import Hearing, Listener, ProbePolicy
from edge_agent.field.probe_report import as_json, as_lines
from edge_agent.links.serial_link import SerialLink
from firmware_configs.links import SerialLink as SerialLinkConfig

EXIT_NOTHING = 1
EXIT_USAGE = 2
READ_WAIT_S = 0.2
UART_COUNTERS = ("framing_errors", "parity_errors", "overruns", "buffer_overruns")
PTY_MAJORS = range(136, 144)
"""UNIX98 pseudo-terminals, by Linux's list of devices."""

Baud = Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200]

app = typer.Typer(add_completion=False)


def main(arguments: list[str]) -> int:
    """Run the command; returns its exit code."""
    try:
        app(args=arguments, prog_name="python -m edge_agent probe")
    except SystemExit as exc:
        return exc.code if isinstance(exc.code, int) else EXIT_USAGE
    return 0


@app.command()
def probe(
    device: Annotated[str, typer.Argument(metavar="DEVICE", help="puerto serie / serial port")],
    *,
    is_json: Annotated[bool, typer.Option("--json", help="JSON")] = False,
    seconds: Annotated[
        float, typer.Option(min=1, max=3600, help="escucha con la velocidad hallada / listening at the rate found, s")
    ] = 10.0,
    dwell: Annotated[float, typer.Option(min=0.5, max=60, help="por velocidad / at each rate, s")] = 3.0,
    silence: Annotated[float, typer.Option(min=1, max=600, help="espera del primer byte / for a first byte, s")] = 15.0,
) -> None:
    """Buscar la velocidad de un puerto serie y decir qué llega / find a port's rate and say what arrives."""
    try:
        policy = ProbePolicy(dwell, silence)
        found = asyncio.run(_probe(device, policy, seconds, is_told=not is_json))
    except LinkError as exc:
        sys.stderr.write(f"edge_agent probe: {exc}\n")
        raise typer.Exit(EXIT_NOTHING) from exc
    is_pty = _is_pty(device)
    if is_json:
        typer.echo(as_json(device, found, policy.heard, is_pty=is_pty))
    else:
        for line in as_lines(device, found, policy.heard, is_pty=is_pty):
            typer.echo(line)
    raise typer.Exit(0 if found is not None else EXIT_NOTHING)


async def _probe(device: str, policy: ProbePolicy, seconds: float, *, is_told: bool) -> Hearing | None:
    """Try rates until the policy is content; return what was then heard at the rate found.

    Raises:
        LinkError: the port cannot be opened, or was lost.
    """
    while (rate := policy.next_rate()) is not None:
        if is_told:
            sys.stderr.write(f"{device}: escucho / listening, {rate} Bd\n")
        policy.heard.append(await _listen(device, rate, policy, 0.0))
    found = policy.found()
    return await _listen(device, found.baud, policy, seconds) if found is not None else None


async def _listen(device: str, rate: int, policy: ProbePolicy, at_least_s: float) -> Hearing:
    link = SerialLink(SerialLinkConfig(kind="serial", device=device, baud=cast("Baud", rate)))
    listener = Listener(rate)
    await link.open()
    try:
        before = link.counters  # of the UART, since the system started
        began_s = time.monotonic()
        while True:
            data = b""
            try:
                async with asyncio.timeout(READ_WAIT_S):
                    data = await link.read()
            except TimeoutError:
                pass  # quiet for a moment: the policy says whether that is enough
            heard_s = time.monotonic() - began_s
            listener.feed(data, heard_s)
            if policy.is_enough(listener.hearing) and heard_s >= at_least_s:
                break
        for name in UART_COUNTERS:
            if count := link.counters.get(name, 0) - before.get(name, 0):
                listener.hearing.errors[name] = count
    finally:
        await link.close()
    return listener.hearing


def _is_pty(device: str) -> bool:
    try:
        status = Path(device).stat()
    except OSError:
        return False
    return stat.S_ISCHR(status.st_mode) and os.major(status.st_rdev) in PTY_MAJORS
