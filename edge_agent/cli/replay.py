"""``python -m edge_agent replay``: plays what ``record`` wrote, byte for byte, at its pace, in place of the hardware.

It begins once somebody reads (a pseudo-terminal, a TCP client) and ends with the recording.

Exit codes: 0 played to its end or ended by Ctrl-C, 1 the recording or the way out failed, 2 usage.
"""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from contracts.errors import ConfigError, LinkError
from edge_agent.field.iec450_outlet import Iec450Outlet
from edge_agent.field.outlets import Outlet, PtyOutlet, TcpOutlet, UdpOutlet
from edge_agent.links.replay_link import ReplayLink
from firmware_configs.links import ReplayLink as ReplayLinkConfig

EXIT_FAILED = 1
EXIT_USAGE = 2

app = typer.Typer(add_completion=False)


def main(arguments: list[str]) -> int:
    """Run the command; returns its exit code."""
    try:
        app(args=arguments, prog_name="python -m edge_agent replay")
    except SystemExit as exc:
        return exc.code if isinstance(exc.code, int) else EXIT_USAGE
    return 0


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="recording of edge_agent record")],
    *,
    is_pty: Annotated[bool, typer.Option("--pty", help="pseudo-terminal; its device is printed")] = False,
    tcp_listen: Annotated[int | None, typer.Option(metavar="PORT", help="TCP server for one client")] = None,
    bind: Annotated[str, typer.Option(metavar="ADDRESS", help="with --tcp-listen: address to listen on")] = "127.0.0.1",
    udp: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="datagrams, one a line")] = None,
    is_group: Annotated[bool, typer.Option("--group", help="with --udp: HOST is a multicast group")] = False,
    interface: Annotated[str, typer.Option(metavar="ADDRESS", help="with --group: interface to send on")] = "127.0.0.1",
    iec450: Annotated[
        str | None, typer.Option(metavar="SOURCE", help="with --udp: as IEC 61162-450, from this source (AI0001)")
    ] = None,
    speed: Annotated[float, typer.Option(metavar="X", help="multiple of the recorded pace; 0: no waits")] = 1.0,
) -> None:
    """Reproducir una grabación como si fuera el equipo / play a recording as if it were the hardware."""
    if is_pty + (tcp_listen is not None) + (udp is not None) != 1:
        raise _usage("name one of --pty, --tcp-listen, --udp")
    try:
        link = ReplayLink(ReplayLinkConfig(kind="replay", path=file, is_timed=True, speed=speed))
    except ValidationError as exc:
        raise _usage("; ".join(f"{error['loc'][-1]}: {error['msg']}" for error in exc.errors())) from exc
    if is_pty:
        outlet: Outlet = PtyOutlet()
    elif tcp_listen is not None:
        outlet = TcpOutlet(bind, tcp_listen)
    else:
        host, _, port = (udp or "").rpartition(":")
        if not host or not port.isdecimal():
            raise _usage(f"--udp {udp}: write HOST:PORT")
        outlet = _datagrams(UdpOutlet(host, int(port), interface if is_group else None), iec450)
    raise typer.Exit(_play(link, outlet))


def _datagrams(outlet: UdpOutlet, iec450: str | None) -> Outlet:
    try:
        return outlet if iec450 is None else Iec450Outlet(outlet, iec450)
    except ConfigError as exc:
        raise _usage(f"--iec450: {exc}") from exc


def _usage(text: str) -> typer.Exit:
    sys.stderr.write(f"edge_agent replay: {text}\n")
    return typer.Exit(EXIT_USAGE)


def _play(link: ReplayLink, outlet: Outlet) -> int:
    try:
        asyncio.run(_run(link, outlet))
    except LinkError as exc:
        sys.stderr.write(f"edge_agent replay: {exc}\n")
        return EXIT_FAILED
    counters = link.counters
    skipped = counters.get("bad_time", 0)
    note = f", {skipped} líneas sin hora omitidas / lines without time skipped" if skipped else ""
    sys.stderr.write(f"replay: {counters.get('lines', 0)} líneas / lines, {counters.get('bytes', 0)} bytes{note}\n")
    return 0


async def _run(link: ReplayLink, outlet: Outlet) -> None:
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    is_stopping = False

    def stop() -> None:
        nonlocal is_stopping
        is_stopping = True
        if task is not None:
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        sys.stdout.write(f"{await outlet.open()}\n")
        sys.stdout.flush()
        await outlet.ready()
        await link.open()  # the clock of the recording starts here
        while data := await link.read():
            await outlet.send(data)
    except asyncio.CancelledError:
        if not is_stopping:
            raise
    finally:
        await link.close()
        await outlet.close()
