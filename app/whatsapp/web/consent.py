"""What a person must have read before a phone is linked. The version changes with the words."""

from typing import Final

__all__ = ["CONSENT_VERSION", "NOTICE"]

CONSENT_VERSION: Final = "2026-11-28"

NOTICE: Final = {
    "en": (
        "This connection automates WhatsApp Web with your own account. WhatsApp's terms forbid unauthorised automated "
        "or bulk messaging and non-personal use: your number may be limited or banned at any time, without appeal, "
        "even if you only answer messages. It may stop working when WhatsApp changes its web app. Use a number you can "
        "afford to lose, and never for campaigns. For business use choose the Cloud API."
    ),
    "es": (
        "Esta conexión automatiza WhatsApp Web con su propia cuenta. Las condiciones de WhatsApp prohíben los mensajes "
        "automáticos o masivos no autorizados y el uso no personal: su número puede ser limitado o bloqueado en "
        "cualquier momento, sin apelación, aunque solo responda mensajes. Puede dejar de funcionar cuando WhatsApp "
        "cambie su web. Use un número que pueda permitirse perder, y nunca para campañas. Para un negocio, elija la "
        "Cloud API."
    ),
    "pt": (
        "Esta conexão automatiza o WhatsApp Web com a sua própria conta. Os termos do WhatsApp proíbem mensagens "
        "automáticas ou em massa não autorizadas e o uso não pessoal: o seu número pode ser limitado ou banido a "
        "qualquer momento, sem recurso, mesmo que só responda mensagens. Pode deixar de funcionar quando o WhatsApp "
        "mudar o seu site. Use um número que possa perder, e nunca para campanhas. Para uso comercial, escolha a "
        "Cloud API."
    ),
}
"""By language, as it must be shown."""
