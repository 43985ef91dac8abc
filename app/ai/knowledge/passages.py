"""The unit of knowledge: a passage that the assistant may quote."""

import msgspec

__all__ = ["Passage"]


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A short text the business stands behind, in its own words.

    `heading` says what it is about as a customer would ("Horario de atención"); `source` says where it is from, for the
    operator (`profile.hours`, a document's name). `id` is stable across edits of the text.
    """

    id: str
    heading: str
    text: str
    source: str
