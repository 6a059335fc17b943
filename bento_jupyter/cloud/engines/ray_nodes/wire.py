"""What the control plane and the programs on the nodes speak: JSON lines, and bytes that are passed on.

All connections are made with a line first that says who comes, and with which token. Nodes dial the control
plane, so one that is restarted at the same place is found again; the gateway's connections go the other way,
to the door of an instance.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import ssl
from pathlib import Path
from typing import Any

__all__ = [
    "BEAT",
    "LET_IN",
    "LINE_LIMIT",
    "dialling",
    "fits",
    "listening",
    "receive",
    "send",
    "splice",
    "token_of",
]

#: Seconds between two signs of life.
BEAT = 0.5
#: What the door of an instance says first, when the instance is there.
LET_IN = b"\1"
#: Bytes that a line may have: the files of an instance are in one.
LINE_LIMIT = 64 * 2**20
#: Bytes that are passed on at once.
CHUNK = 2**17


def token_of(secret: str, name: str) -> str:
    """The token of somebody who is known by this name to the holder of the secret."""
    return hmac.new(secret.encode(), name.encode(), hashlib.sha256).hexdigest()


def fits(token: object, expected: str) -> bool:
    """Whether a token is the expected one; takes as long for all that are not."""
    return isinstance(token, str) and hmac.compare_digest(token.encode(), expected.encode())


def listening(credentials: Path | None) -> ssl.SSLContext | None:
    """How to listen with TLS; None = without.

    Args:
        credentials: PEM file with a certificate and its key.
    """
    if credentials is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(credentials)
    return context


def dialling(certificate: str) -> ssl.SSLContext | None:
    """How to dial with TLS: whoever shows this certificate and has its key is meant. "" = without TLS."""
    if not certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=certificate)
    return context


def send(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    """Write a message, without waiting for it to go out."""
    if not writer.is_closing():
        writer.write(json.dumps(message).encode() + b"\n")


async def receive(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """The next message; None when there is none any more, or something else comes."""
    try:
        line = await reader.readline()
        message = json.loads(line) if line.endswith(b"\n") else None
    except (OSError, ValueError):
        return None
    return message if isinstance(message, dict) else None


async def splice(
    here: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    there: tuple[asyncio.StreamReader, asyncio.StreamWriter],
) -> None:
    """Pass on what either side says to the other, until both have said all, or one is gone; closes both."""
    try:
        await asyncio.gather(_pass_on(here[0], there[1]), _pass_on(there[0], here[1]))
    except OSError:
        pass
    finally:
        for _, writer in (here, there):
            writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()
    with contextlib.suppress(OSError):
        if writer.can_write_eof():
            writer.write_eof()
        else:  # TLS cannot say that it has said all
            writer.close()
