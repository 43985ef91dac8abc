"""A builder of environments for production: everything that must be set, and strong."""

from pathlib import Path

JWT_SECRET = "9f2c61d7e0b84a35c7d19e6f03b2a8547e1c9d60f2b7a4385d06e9c1f7b2a340"
FERNET_KEY = "q3VdT8uXo1Zc5Rk7JmYpLw0HsBf2NaGe9xCiQvDzE4U="
ADMIN_PASSWORD = "tabla-verde-nube-siete-lomo"


def production(data_dir: Path, **changes: str) -> dict[str, str]:
    """Return an environment that starts in production, with `changes`; an empty value takes a key away."""
    return {
        "APP_ENV": "production",
        "DATA_DIR": str(data_dir),
        "JWT_SECRET": JWT_SECRET,
        "FERNET_KEY": FERNET_KEY,
        "ADMIN_PASSWORD": ADMIN_PASSWORD,
        **changes,
    }
