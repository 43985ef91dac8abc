"""Calls to other machines go through one module; those to addresses that a user can set, through one client of it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
THE_CLIENT = "app/core/http_client.py"

# Ways of talking HTTP, or plain TCP, that would pass by the client's rules.
FOREIGN = (
    "httpx", "aiohttp", "requests", "urllib3", "urllib.request", "http.client", "httpcore", "pycurl",
    "ftplib", "smtplib", "telnetlib", "socketserver", "xmlrpc.client", "websockets", "websocket",
)  # fmt: skip
CONNECTING = {"open_connection", "create_connection", "create_datagram_endpoint", "sock_connect", "urlopen"}

# Where a client may be made, and what it calls. Everything else gets one of `app/plugins.py`.
MAKERS = {
    "app/plugins.py": "the two of each process: one for configured addresses, one for all others",
    "app/simulator/service.py": "the simulator, which plays Meta and posts to the configured webhook address",
    "app/simulator/chat.py": "the operator's terminal, which calls the address on its own command line",
    "app/system/checks.py": "the container's health check, which calls this machine's own port",
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for folder in ("app", "workers", "settings", "migrations"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def imported(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def called(tree: ast.Module) -> set[str]:
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "") for func in calls}


def foreign(tree: ast.Module) -> set[str]:
    names = {name for name in imported(tree) if name in FOREIGN or name.startswith(tuple(f"{way}." for way in FOREIGN))}
    return names | (called(tree) & CONNECTING)


def dynamic_imports(tree: ast.Module) -> bool:
    return bool(called(tree) & {"__import__", "import_module"})


def test_one_module_talks_http() -> None:
    assert {path: sorted(found) for path, tree in modules() if path != THE_CLIENT and (found := foreign(tree))} == {}


def test_no_module_is_imported_by_a_name_that_cannot_be_seen_here() -> None:
    assert [path for path, tree in modules() if dynamic_imports(tree) and not path.startswith("migrations/")] == []


def test_clients_are_made_in_the_known_places_only() -> None:
    assert {path for path, tree in modules() if "HttpClient" in called(tree)} == set(MAKERS)


def test_the_client_for_addresses_that_users_set_asks_the_outside_rules() -> None:
    tree = dict(modules())["app/plugins.py"]
    made = {
        ast.unparse(node.targets[0]): {keyword.arg: ast.unparse(keyword.value) for keyword in node.value.keywords}
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func) == "HttpClient"
    }
    assert set(made) == {"self.http", "self.outside_http"}
    assert made["self.outside_http"]["address_guard"] == "self.outside_rules.allows_address"
    assert made["self.outside_http"]["target_guard"] == "self.outside_rules.allows_target"


def test_the_client_follows_no_redirect_and_believes_no_environment() -> None:
    text = (ROOT / THE_CLIENT).read_text()
    assert "follow_redirects" not in text
    assert "trust_env=True" not in text


@pytest.mark.parametrize(
    "code",
    ["import httpx", "from aiohttp import ClientSession", "import urllib.request", "from urllib import request",
     "from http import client", "import requests as r", "asyncio.open_connection('a', 1)",
     "async def f(): await loop.create_connection(P)"],
)  # fmt: skip
def test_another_way_out_would_be_seen(code: str) -> None:
    assert foreign(ast.parse(code))
