"""Each process answers below its name, too: one address for all of them routes by path, and rewrites none."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


def route_path(scope: Scope) -> str:
    """The path of a request as routes have it."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


class Prefixed:
    """Takes a prefix, such as /auth, for where the app is (`root_path`); without it the app is at the root, as ever."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app, self._prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _below(scope["path"], self._prefix):
            return await self._app(scope, receive, send)
        path = f"{self._prefix}/" if scope["path"] == self._prefix else scope["path"]
        below = {**scope, "path": path, "root_path": self._prefix}
        return await self._app(below, receive, _located(send, self._prefix))


def _below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


def _located(send: Send, prefix: str) -> Send:
    """What is said to be at a path (`Location`) is below the prefix."""

    async def located(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [
                (name, prefix.encode() + value if name == b"location" and value.startswith(b"/") else value)
                for name, value in message["headers"]
            ]
            message = {**message, "headers": headers}
        await send(message)

    return located
