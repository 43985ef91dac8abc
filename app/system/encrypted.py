"""Everything in the database that is encrypted with the key ring. A column that is not named here fails a test."""

from typing import Any, Final

import sqlalchemy as sa

from app.accounts.models import users
from app.ai.chain.models import model_providers
from app.audit.models import signing_keys
from app.whatsapp.models import channels
from app.whatsapp.web.models import web_sessions

ENCRYPTED: Final[tuple[sa.Column[Any], ...]] = (
    channels.c.secrets,
    users.c.totp_secret,
    signing_keys.c.secret,
    model_providers.c.api_key,
    web_sessions.c.screenshot,
)
"""Columns of ciphertext; each stands in a table with one primary key column."""
