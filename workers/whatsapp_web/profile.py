"""The profile of a linked phone is a credential: where it is kept, and its encrypted copy."""

import io
import os
import shutil
import tarfile
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog

from app.core.security.cipher import Cipher, Undecryptable

__all__ = ["Profile"]

log = structlog.get_logger()

# What a browser can make again: of the rest, IndexedDB and Local Storage hold the keys of the linked device.
_DISPENSABLE: Final = frozenset(
    {
        "Cache",
        "Code Cache",
        "GPUCache",
        "DawnGraphiteCache",
        "DawnWebGPUCache",
        "ShaderCache",
        "GrShaderCache",
        "GraphiteDawnCache",
        "CacheStorage",
        "ScriptCache",
        "Crashpad",
        "Crash Reports",
        "component_crx_cache",
        "extensions_crx_cache",
        "optimization_guide_model_store",
        "Safe Browsing",
    }
)


class Profile:
    """Where one phone's browser keeps its things: under DATA_DIR, readable by us alone. All of it blocks."""

    def __init__(self, data_dir: Path, channel_id: UUID) -> None:
        self._home = data_dir / "whatsapp-web" / str(channel_id)
        self.directory = self._home / "profile"
        self._copy = self._home / "profile.backup"

    @property
    def is_there(self) -> bool:
        return (self.directory / "Default").is_dir()

    def back_up(self, cipher: Cipher) -> int:
        """Write an encrypted copy of the profile of a browser that is closed; return its size in bytes."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
            archive.add(self.directory, arcname="profile", filter=_lasting)
        sealed = cipher.encrypt(packed.getvalue())
        partial = self._copy.with_suffix(".part")
        descriptor = os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(self._copy)
        return len(sealed)

    def restore(self, cipher: Cipher) -> bool:
        """Put the copy where the profile was lost; False if there is no copy that can be read."""
        if not self._copy.exists():
            return False
        try:
            packed = cipher.decrypt(self._copy.read_bytes())
        except Undecryptable:
            log.error("whatsapp_web.backup_unreadable", copy=self._copy.name)  # noqa: TRY400 - the trace says nothing more
            return False
        shutil.rmtree(self.directory, ignore_errors=True)
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
            archive.extractall(self._home, filter="data")
        self.directory.chmod(0o700)
        return True

    def forget(self) -> None:
        """Remove the profile and its copy: the phone is not linked any more."""
        shutil.rmtree(self._home, ignore_errors=True)


def _lasting(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    parts = Path(member.name).parts
    if any(part in _DISPENSABLE for part in parts) or Path(member.name).name.startswith("Singleton"):
        return None
    return member if member.isfile() or member.isdir() else None
