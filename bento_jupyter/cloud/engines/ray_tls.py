"""The certificate that control plane and nodes show each other, made once for each cloud."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ...errors import CloudError

__all__ = ["certificate_of", "make_credentials"]

#: Days that it is good for.
DAYS = 3650
COMMAND = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def make_credentials(file: Path) -> Path:
    """A PEM file with a certificate and its key, made when it is not there; the owner's alone.

    Raises:
        CloudError: There is no `openssl` to make it with, or it fails.
    """
    if file.exists():
        return file
    key = file.with_suffix(".key")
    old = os.umask(0o077)
    try:
        made = subprocess.run(
            [*COMMAND, "-keyout", str(key), "-days", str(DAYS), "-subj", "/CN=bento-jupyter"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        part = file.with_suffix(".part")
        part.write_text(made + key.read_text(encoding="ascii"), encoding="ascii")
        part.replace(file)
    except FileNotFoundError as error:
        raise CloudError("there is no openssl to make a certificate with", hint="install openssl") from error
    except subprocess.CalledProcessError as error:
        raise CloudError(f"openssl cannot make a certificate: {error.stderr.strip()[-300:]}") from error
    finally:
        os.umask(old)
        key.unlink(missing_ok=True)
    return file


def certificate_of(file: Path) -> str:
    """The certificate alone, without its key."""
    text = file.read_text(encoding="ascii")
    end = "-----END CERTIFICATE-----"
    return text[: text.index(end) + len(end)] + "\n"
