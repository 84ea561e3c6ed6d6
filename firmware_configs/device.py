"""Device profiles and the effective config that a gateway runs by."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from firmware_configs.base import Id, Port, Profile
from firmware_configs.hardware_profile import Source
from firmware_configs.outbox_bounds import ClassBounds, DiskReserve


class Identity(Profile):
    """Files of the gateway's own certificate: PEM. The key file must not be readable by others."""

    certificate: Path
    private_key: Path
    trust: Path


class Broker(Profile):
    """One MQTT broker. ``server_name``: name its certificate must carry, where it differs from ``host``."""

    host: str
    port: Port = 8883
    server_name: str | None = None


class Outbox(Profile):
    """The store on the gateway's disk.

    Attributes:
        group_commit_ms: longest wait of bulk records before they are on disk, and with the uplink up also before they
            are sent. Measured at 75 messages/s of a recorded feed, 612 B of JSON each: 100 ms writes 1.9 bytes to the
            card for each byte of payload (7.6 GB a day), 150 ms 1.4 (5.4 GB), 250 ms 0.9 (3.7 GB); a record takes 171
            bytes of the link at 100 ms and 132 at 250 ms.
        seal_records: records of a stream that make a full batch while nothing can be sent at once: 500 take 90 bytes
            each on the disk, 200 take 95.
        seal_after_ms: age at which fewer are joined: a slow stream must not leave a row for each of its records.
        max_bytes: cap of the database file (beside it lies its log, 8 MiB at most). For a 16 GB card, see
            ``outbox_bounds``.
        classes: bounds of each class.
        disk: what stays free of the file system.
        ring_bytes: cap of what is kept in memory while the disk takes nothing: at 75 messages/s some 40 minutes, more
            than a technician with a new card takes to be told, and an eighth of what a gateway may take of a small
            board.
        disk_timeout_s: longest wait for the disk before a driver's records are kept in memory. Longer than the worst
            pause of a flash card that tidies itself up (2 s), shorter than a driver's patience.
    """

    group_commit_ms: int = Field(default=150, ge=1, le=250)
    seal_records: int = Field(default=500, ge=1, le=500)
    seal_after_ms: int = Field(default=60_000, ge=10, le=3_600_000)
    max_bytes: int = Field(default=4 * 1024**3, ge=1024**2)
    classes: ClassBounds = ClassBounds()
    disk: DiskReserve = DiskReserve()
    ring_bytes: int = Field(default=16 * 1024**2, ge=256 * 1024, le=1024**3)
    disk_timeout_s: float = Field(default=5.0, ge=0.1, le=30)


class Uplink(Profile):
    """How batches travel.

    Attributes:
        protocol: MQTT version.
        window_batches: batches in flight without a receipt; a quarter of them is never taken by the backlog.
        receipt_timeout_s: wait for a receipt before the batch is sent again; doubles up to ``resend_cap_s``.
        resend_cap_s: longest such wait.
        reconnect_base_s: first step of the full-jitter reconnect backoff.
        reconnect_cap_s: longest step.
        keepalive_s: MQTT keep-alive.
        link_bytes_per_s: what batches may take of the link, live and backlog together; None: as much as there is, the
            backlog then finds its own pace by ``live_goal_s``.
        burst_bytes: what may go at once after a pause, where the link has a rate.
        backlog_share: largest part of that rate for the backlog, so that live finds room at any moment.
        backlog_floor_share: part of that rate that the backlog gets even while live could take all; 0: none.
        live_goal_s: time from sending to receipt at which the backlog slows down.
        fleet_size: gateways that may come back to the same broker together.
        arrivals_per_s: new connections a second that this broker bears; with ``fleet_size`` it sets the spread of
            every first attempt.
        return_after_s: how long the first broker of the list must have answered again before the gateway leaves
            another one for it.
    """

    protocol: Literal["3.1.1", "5"] = "3.1.1"
    window_batches: int = Field(default=16, ge=2, le=256)
    receipt_timeout_s: float = Field(default=5.0, gt=0, le=300)
    resend_cap_s: float = Field(default=60.0, gt=0, le=3600)
    reconnect_base_s: float = Field(default=0.5, gt=0, le=60)
    reconnect_cap_s: float = Field(default=30.0, gt=0, le=600)
    keepalive_s: int = Field(default=10, ge=5, le=600)
    link_bytes_per_s: int | None = Field(default=None, ge=500)
    burst_bytes: int = Field(default=64 * 1024, ge=4096, le=16 * 1024**2)
    backlog_share: float = Field(default=0.8, ge=0.25, le=1)
    backlog_floor_share: float = Field(default=0.02, ge=0, le=0.25)
    live_goal_s: float = Field(default=1.0, ge=0.05, le=60)
    fleet_size: int = Field(default=1, ge=1, le=100_000)
    arrivals_per_s: float = Field(default=100.0, ge=1, le=100_000)
    return_after_s: float = Field(default=300.0, gt=0, le=86_400)


class Local(Profile):
    """What the gateway offers on itself: status and Prometheus metrics over HTTP, on the loopback interface."""

    host: str = "127.0.0.1"
    port: Port = 9401
    status_interval_s: float = Field(default=2.0, gt=0, le=60)


class Flash(Profile):
    """The card or module that ``data_dir`` lies on, by its data sheet; for the projection of its life only.

    Attributes:
        written_tb: terabytes that its maker says may be written (TBW, JEDEC JESD218: under a stated workload); goes
            before the two below.
        capacity_gb: size, GB of 10^9 bytes.
        erase_cycles: program/erase cycles that its maker says each cell bears.
        write_amplification: bytes that the card writes inside for each byte from outside, for a life that is worked
            out from size and cycles; with small writes and a sync each it is a card's worst case. Nothing is assumed.
    """

    written_tb: float | None = Field(default=None, gt=0)
    capacity_gb: float | None = Field(default=None, gt=0)
    erase_cycles: int | None = Field(default=None, gt=0)
    write_amplification: float | None = Field(default=None, ge=1, le=1000)


class Supervision(Profile):
    """Driver processes.

    Attributes:
        hang_timeout_s: no heartbeat for so long is a hang, s.
        backoff_base_s: first step of the full-jitter wait before a restart, s.
        backoff_cap_s: longest step, s.
        driver_memory_mib: resident memory at which a driver is killed and started anew, MiB. A driver takes 50 MiB, and
            as much again while it holds 20,000 observations for a gateway that is away.
    """

    hang_timeout_s: float = Field(default=10.0, ge=1, le=120)
    backoff_base_s: float = Field(default=0.5, gt=0, le=10)
    backoff_cap_s: float = Field(default=30.0, gt=0, le=600)
    driver_memory_mib: int = Field(default=192, ge=96, le=4096)


class DeviceProfile(Profile):
    """One gateway, as its file says it.

    Attributes:
        device: gateway id.
        site: site profile it belongs to.
        hardware: hardware profile it is built by.
        sources: changes to single sources of the hardware profile, by source id (link, place, settings).
        data_dir: folder of the outbox and of everything else the gateway keeps.
        run_dir: folder of locks, the hand-over socket and the drivers' logs, all of them worthless after a boot; by
            default ``run`` below ``data_dir``. On a device it lies in memory (``/run``): a driver that starts or logs
            then never waits for a card that answers nothing.
    """

    schema_version: Literal[1] = Field(alias="schema")
    device: Id
    site: Id
    hardware: Id
    identity: Identity
    brokers: list[Broker] = Field(min_length=1, max_length=8)
    data_dir: Path
    run_dir: Path | None = None
    sources: dict[Id, dict[str, Any]] = Field(default_factory=dict)
    outbox: Outbox = Outbox()
    uplink: Uplink = Uplink()
    local: Local = Local()
    supervision: Supervision = Supervision()
    flash: Flash = Flash()


class EffectiveConfig(Profile):
    """What a gateway runs by: the device profile with its hardware profile and register maps resolved."""

    device: Id
    site: Id
    hardware: Id
    identity: Identity
    brokers: list[Broker]
    data_dir: Path
    run_dir: Path
    sources: list[Source]
    outbox: Outbox
    uplink: Uplink
    local: Local
    supervision: Supervision
    flash: Flash

    def source(self, source_id: str) -> Source:
        """Return one source.

        Raises:
            KeyError: the device has no such source.
        """
        for source in self.sources:
            if source.source == source_id:
                return source
        raise KeyError(source_id)
