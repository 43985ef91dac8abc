"""What can be wrong with the audit trail."""

from app.core.errors import MostradorError


class NoCipher(MostradorError):
    """The database was opened without the cipher that unlocks its signing keys (`app.audit.keys.sealed_by`)."""

    code = "audit_without_cipher"
