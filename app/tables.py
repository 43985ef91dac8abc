"""Every table, imported once: for migrations, and for tests that make a schema."""

from app.accounts.models import *  # noqa: F403 - importing is what makes a table known
from app.ai.chain.models import *  # noqa: F403
from app.ai.llm.models import *  # noqa: F403
from app.audit.models import *  # noqa: F403
from app.business.models import *  # noqa: F403
from app.contacts.models import *  # noqa: F403
from app.conversations.models import *  # noqa: F403
from app.conversations.search_index import *  # noqa: F403 - what is made together with its table
from app.core.db import metadata
from app.core.db.events import *  # noqa: F403
from app.core.queue.tables import *  # noqa: F403
from app.outbound.models import *  # noqa: F403
from app.proof.models import *  # noqa: F403
from app.security.models import *  # noqa: F403
from app.system.models import *  # noqa: F403
from app.whatsapp.models import *  # noqa: F403
from app.whatsapp.web.models import *  # noqa: F403

__all__ = ["metadata"]
