"""What the broker is told besides its users."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class BrokerSettings(BaseModel):
    """One broker.

    Attributes:
        server_name: its name in a cluster and in logs.
        host: address of the MQTT and client listeners.
        mqtt_port: MQTT 3.1.1 with mutual TLS, for gateways.
        client_port: NATS with mutual TLS, for the cloud.
        monitor_port: HTTP monitoring, always on loopback.
        certificate: PEM of the server, with its issuer.
        private_key: PEM, 0600.
        trust: PEM of the root that client certificates must lead to.
        data_dir: JetStream's store (MQTT sessions and retained messages; no records of ours).
        log_file: the server's log, cut at ``log_size_limit_bytes``.
        pid_file: where the server writes its process id.
        store_cap_bytes: cap of that store.
        log_size_limit_bytes: size at which a log is set aside.
        log_max_files: logs kept, with the current one.
        pending_cap_bytes: bytes waiting for one slow reader before it is cut off.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    server_name: str = Field(default="porttrack-1", pattern=r"^[a-z0-9-]{1,40}$")
    host: str = "127.0.0.1"
    mqtt_port: int = Field(ge=1, le=65535)
    client_port: int = Field(ge=1, le=65535)
    monitor_port: int = Field(ge=1, le=65535)
    certificate: Path
    private_key: Path
    trust: Path
    data_dir: Path
    log_file: Path
    pid_file: Path
    store_cap_bytes: int = Field(default=64 * 1024**2, ge=1024**2)
    log_size_limit_bytes: int = Field(default=4 * 1024**2, ge=64 * 1024)
    log_max_files: int = Field(default=3, ge=1, le=100)
    pending_cap_bytes: int = Field(default=16 * 1024**2, ge=1024**2)
