"""A NATS client as the cloud's, that keeps what it hears, for system tests against a real broker."""

import ssl
from dataclasses import dataclass, field

from nats.aio.client import Client

from fleet_deploy.ca.service import IssuedFiles


@dataclass
class Cloud:
    """A NATS client that hears every gateway."""

    client: Client
    heard: list[tuple[str, bytes]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    async def send(self, subject: str, payload: bytes) -> None:
        await self.client.publish(subject, payload)
        await self.client.flush(timeout=5)


def tls_context(files: IssuedFiles) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(files.trust))
    context.load_cert_chain(str(files.certificate), str(files.private_key))
    return context
