"""What is left to commands in processes of their own (`jobs.py`): push, export, log in, start elsewhere."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Final

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from ..errors import CloudError, InvalidRequestError, NotFoundError
from .contexts import contexts
from .handlers import BentoHandler
from .jobs import Command
from .local import is_stored
from .payloads import Export, Login, Push, Start

__all__ = [
    "ContextHandler",
    "ExportHandler",
    "JobHandler",
    "LoginHandler",
    "PushHandler",
    "StartHandler",
]

_OURS: Final = "bento_jupyter.cli"
#: Name of the variable that hands a token to the command that logs in.
_TOKEN: Final = "BENTO_JUPYTER_LOGIN_TOKEN"  # noqa: S105 - the name of one
#: The same for the token of a Ray cluster.
_RAY_TOKEN: Final = "BENTO_JUPYTER_RAY_TOKEN"  # noqa: S105 - the name of one
#: Seconds that a question after a job waits for its end at most; proxies give up after a minute.
_WAIT: Final = 20.0


class JobHandler(BentoHandler):
    """`GET jobs/{id}`: how a job is, at its end if that comes soon."""

    @authenticated
    @authorized
    async def get(self, key: str) -> None:
        """Wait for the end, for a while."""
        self.reply(await self.bento.jobs.after(key, _WAIT))


class PushHandler(BentoHandler):
    """`POST bentos/{name}/{version}/push` with a `Push`."""

    @authenticated
    @authorized
    async def post(self, name: str, version: str) -> None:
        """Send it, with its models, to a cloud; the answer is the job."""
        tag, wanted = f"{name}:{version}", self.body(Push)
        known = {item.name for item in contexts(self.bento.home).items} | {"embedded"}
        if wanted.cloud not in known:
            raise InvalidRequestError(
                f"nobody is logged in to a cloud {wanted.cloud}", hint="log in to it first", status_code=400
            )
        push = Command(_OURS, ["push", tag, f"--cloud={wanted.cloud}"])
        self.reply(self.bento.jobs.begin(*self._fetched(tag), push))

    def _fetched(self, tag: str) -> list[Command]:
        """What brings a Bento into the local store, unless it is there."""
        if is_stored(tag):
            return []
        try:
            address = self.link.address()
        except CloudError as error:
            raise NotFoundError(
                f"the local store has no Bento {tag}", hint="start the cloud", status_code=404
            ) from error
        logged_in = {
            "BENTO_CLOUD_API_ENDPOINT": address.endpoint,
            "BENTO_CLOUD_API_KEY": address.token,
        }
        return [Command("bentoml", ["pull", "--with-models", tag], logged_in)]


class ExportHandler(PushHandler):
    """`POST bentos/{name}/{version}/export` with an `Export`."""

    @authenticated
    @authorized
    async def post(self, name: str, version: str) -> None:
        """Write its readable project into a folder that the file browser shows; the answer is the job."""
        tag, wanted = f"{name}:{version}", self.body(Export)
        folder = self._below_root(wanted.folder)
        export = Command(_OURS, ["export", tag, str(folder)])
        self.reply(self.bento.jobs.begin(*self._fetched(tag), export))

    def _below_root(self, wanted: str) -> Path:
        root = Path(os.path.expanduser(self.settings.get("server_root_dir") or os.getcwd())).resolve()
        path = PurePosixPath(wanted.replace("\\", "/").strip("/"))
        folder = root.joinpath(*path.parts).resolve()
        if folder == root or not folder.is_relative_to(root):
            raise InvalidRequestError(
                f"{wanted} is no folder below {root.name}", hint="name a new folder", status_code=400
            )
        return folder


class LoginHandler(BentoHandler):
    """`POST login` with a `Login`."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """Log in and keep it for all `bentoml` commands of this user; the answer is the job."""
        wanted = self.body(Login)
        words = ["login", wanted.endpoint, f"--token-env={_TOKEN}"]
        words += [f"--context={wanted.context}"] if wanted.context else []
        token = {_TOKEN: wanted.token.get_secret_value()}
        self.reply(self.bento.jobs.begin(Command(_OURS, words, token)))


class StartHandler(BentoHandler):
    """`POST cloud/start-on` with a `Start`."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """Start the embedded cloud, which remembers what runs its instances; the answer is the job."""
        wanted = self.body(Start)
        words = ["cloud", "start", f"--engine={wanted.engine}"]
        token = {}
        if wanted.engine == "ray":
            words += [f"--ray-address={wanted.ray_address}"] if wanted.ray_address else []
            words += ["--ray-tls"] if wanted.ray_tls else []
            if wanted.ray_token.get_secret_value():
                words.append(f"--ray-token-env={_RAY_TOKEN}")
                token = {_RAY_TOKEN: wanted.ray_token.get_secret_value()}
        self.reply(self.bento.jobs.begin(Command(_OURS, words, token)))


class ContextHandler(BentoHandler):
    """`POST contexts/{current|forget}` with a `Push`: a cloud that one is logged in to."""

    @authenticated
    @authorized
    async def post(self, action: str) -> None:
        """Make it the one that plain `bentoml` commands use, or log out of it; the answer is the job."""
        wanted = self.body(Push)
        if wanted.cloud not in {item.name for item in contexts(self.bento.home).items}:
            raise InvalidRequestError(f"nobody is logged in to a cloud {wanted.cloud}", status_code=400)
        if action == "current":
            command = Command("bentoml", ["cloud", "update-current-context", "--", wanted.cloud])
        else:
            command = Command(_OURS, ["logout", "--", wanted.cloud])
        self.reply(self.bento.jobs.begin(command))
