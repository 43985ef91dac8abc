"""Typed readers of the environment, which collect every problem instead of stopping at the first."""

import hmac
import ipaddress
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import SplitResult, urlsplit

__all__ = ["BadSettings", "Reader", "Secret", "absolute_path", "is_unencrypted", "split_url"]

Default = TypeVar("Default", str, None)
Choice = TypeVar("Choice", bound=str)

_BOOLEANS: Final = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


class Secret:
    """A value that is never printed: `repr`, `str` and formatting show stars. `reveal()` is the one way to read it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._bytes(), other._bytes())

    def __hash__(self) -> int:
        return hash(self._value)

    def _bytes(self) -> bytes:
        # Bytes of the environment that are not UTF-8 arrive as lone surrogates.
        return self._value.encode(errors="surrogatepass")


class BadSettings(Exception):
    """The configuration cannot be used. `problems` holds one line a key: what is wrong and what to write instead."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        count = "1 setting needs" if len(self.problems) == 1 else f"{len(self.problems)} settings need"
        super().__init__("\n".join([f"{count} your attention:", *(f"  {problem}" for problem in self.problems)]))


class Reader:
    """Reads keys out of `values`. A key that is empty or only white space counts as not set.

    A value that cannot be used is noted in `problems` and its default is returned, so that one start lists every bad
    key; `warnings` are lines about values that can be used. `keys` are all keys that were asked for, set or not.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.problems: list[str] = []
        self.warnings: list[str] = []
        self.keys: set[str] = set()

    def text(self, key: str, default: Default) -> str | Default:
        self.keys.add(key)
        return self._values.get(key, "").strip() or default

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the parts of a comma-separated list, in their order; empty parts are dropped."""
        parts = (part.strip() for part in self.text(key, "").split(","))
        return tuple(part for part in parts if part)

    def choice(self, key: str, default: Choice, choices: Sequence[Choice]) -> Choice:
        given = self.text(key, None)
        if given is None:
            return default
        for choice in choices:
            if choice == given.lower():
                return choice
        self.problem(key, f'"{given}" is not known', f"write {_one_of(choices)}")
        return default

    def boolean(self, key: str, *, default: bool) -> bool:
        given = self.text(key, None)
        if given is None:
            return default
        if given.lower() not in _BOOLEANS:
            self.problem(key, f'"{given}" is neither yes nor no', "write true or false")
        return _BOOLEANS.get(given.lower(), default)

    def whole_number(self, key: str, default: int, *, minimum: int, maximum: int) -> int:
        given = self.text(key, None)
        if given is None:
            return default
        # `int` alone would also take "1_000", "+5" and digits of other scripts.
        if given.isascii() and given.isdigit() and len(given) <= len(str(maximum)) and minimum <= int(given) <= maximum:
            return int(given)
        self.problem(
            key,
            f'"{given}" is not a whole number from {minimum} to {maximum}',
            f"write one, such as {default}",
        )
        return default

    def seconds(self, key: str, default: float, *, maximum: float) -> float:
        """Return a decimal number of seconds from 0 to `maximum`."""
        given = self.text(key, None)
        if given is None:
            return default
        if given.isascii() and given.replace(".", "", 1).isdigit() and float(given) <= maximum:
            return float(given)
        self.problem(
            key,
            f'"{given}" is not a number of seconds from 0 to {maximum:g}',
            f"write one, with a point for decimals, such as {default:g}",
        )
        return default

    def path(self, key: str, default: str) -> Path:
        """Return an absolute path; `~` is the home directory, and a relative path starts at the working directory."""
        given = self.text(key, default)
        path = absolute_path(given)
        if path is None:
            self.problem(key, "is not the path of a file or directory", f"write one such as {default}")
        return path or Path(default).absolute()

    def url(
        self,
        key: str,
        default: Default,
        *,
        schemes: Sequence[str] = ("https", "http"),
        credentials: bool = False,
    ) -> str | Default:
        """Return a URL that has a host, without a slash at its end.

        With `credentials` it may have a user, a password and a query; otherwise none of them.
        """
        given = self.text(key, None)
        if given is None:
            return default
        parts = split_url(given)
        if (
            parts is None
            or parts.scheme not in schemes
            or not parts.hostname
            or _extras(parts, credentials=credentials)
        ):
            # The value stays unsaid: people paste keys and passwords into addresses.
            self.problem(
                key,
                f"is not a plain address that begins with {_one_of([f'{scheme}://' for scheme in schemes])}",
                f"write one such as {schemes[0]}://host.example.com",
            )
            return default
        return given.rstrip("/")

    def secret(self, key: str) -> Secret | None:
        given = self.text(key, None)
        return None if given is None else self._secret(key, given)

    def secrets(self, key: str) -> tuple[Secret, ...]:
        """Return the parts of a comma-separated list, newest first, so that a secret can be replaced step by step."""
        return tuple(self._secret(key, part) for part in self.texts(key))

    def _secret(self, key: str, value: str) -> Secret:
        if not value.isprintable():
            self.problem(key, "holds a line break or another control character", "copy it again, on one line")
        return Secret(value)

    def problem(self, key: str, wrong: str, instead: str) -> None:
        """Note that `key` cannot be used. Neither text may hold the value of a secret."""
        self.problems.append(f"{key}: {wrong}; {instead}")

    def warn(self, line: str) -> None:
        """Note something about a value that can be used all the same."""
        self.warnings.append(line)


def absolute_path(text: str) -> Path | None:
    """Return the absolute path that `text` means, or None when it means none."""
    if not text.isprintable():
        return None
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:  # the home directory of somebody who does not exist
        return None


def split_url(text: str) -> SplitResult | None:
    """Return the parts of a URL, or None when it has none or its port or host cannot be read."""
    if any(character.isspace() or not character.isprintable() for character in text):
        return None
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    return parts


def is_unencrypted(url: str) -> bool:
    """Whether what is sent to `url` can be read on its way: plain HTTP to anywhere but this machine."""
    parts = split_url(url)
    return parts is not None and parts.scheme == "http" and not _is_loopback(parts.hostname)


def _is_loopback(hostname: str | None) -> bool:
    try:
        return ipaddress.ip_address(hostname or "").is_loopback
    except ValueError:
        return hostname == "localhost"


def _extras(parts: SplitResult, *, credentials: bool) -> bool:
    return bool(parts.fragment) or (not credentials and bool("@" in parts.netloc or parts.query))


def _one_of(choices: Sequence[str]) -> str:
    *first, last = choices
    return f"{', '.join(first)} or {last}" if first else last
