"""The file of a message where it is one of ours: named by the id of its upload until a transport has a name for it.

Meta's own media ids are numbers and pass through untouched; ours are UUIDs.
"""

from typing import TypeVar
from uuid import UUID

import msgspec

from app.whatsapp import content as c

__all__ = ["UploadedFile", "uploaded_file", "with_media_id"]

_FILES = (c.Image, c.Video, c.Audio, c.Document, c.Sticker)
_HEADED = (c.Buttons, c.CtaUrl, c.Flow)
_FILE_HEADERS = (c.ImageHeader, c.VideoHeader, c.DocumentHeader)
_FILE_PARAMETERS = (c.ImageParameter, c.VideoParameter, c.DocumentParameter)
_Named = c.Document | c.DocumentHeader | c.DocumentParameter
_Shape = TypeVar("_Shape", bound=msgspec.Struct)


class UploadedFile(msgspec.Struct, frozen=True):
    """Which upload a message takes along, as what (`image`, `video`, `audio`, `document`, `sticker`), and where.

    `field` is the path of the member that names it.
    """

    upload_id: UUID
    kind: str
    field: str


def uploaded_file(content: c.Content) -> UploadedFile | None:
    """Return the upload that `content` names, if it names one. A message takes one file along at most."""
    if isinstance(content, _FILES):
        return _uploaded(content.media_id, content, "media_id")
    if isinstance(content, _HEADED) and isinstance(content.header, _FILE_HEADERS):
        return _uploaded(content.header.media_id, content.header, "header.media_id")
    if isinstance(content, c.Template):
        for place, component in enumerate(content.components):
            if isinstance(component, c.HeaderParameters) and component.parameters:
                parameter = component.parameters[0]
                if isinstance(parameter, _FILE_PARAMETERS):
                    return _uploaded(parameter.media_id, parameter, f"components[{place}].parameters[0].media_id")
    return None


def with_media_id(content: c.Content, media_id: str, filename: str | None) -> c.Content:
    """Return `content` with the transport's name for its file; a document without a name gets `filename`."""
    if isinstance(content, _FILES):
        return _renamed(content, media_id, filename)
    if isinstance(content, _HEADED) and isinstance(content.header, _FILE_HEADERS):
        return msgspec.structs.replace(content, header=_renamed(content.header, media_id, filename))
    if isinstance(content, c.Template):
        components = tuple(_with_parameter(component, media_id, filename) for component in content.components)
        return msgspec.structs.replace(content, components=components)
    return content


def _with_parameter(component: c.TemplateComponent, media_id: str, filename: str | None) -> c.TemplateComponent:
    if not isinstance(component, c.HeaderParameters):
        return component
    parameters = tuple(
        _renamed(one, media_id, filename) if isinstance(one, _FILE_PARAMETERS) else one for one in component.parameters
    )
    return msgspec.structs.replace(component, parameters=parameters)


def _uploaded(media_id: str | None, shape: msgspec.Struct, field: str) -> UploadedFile | None:
    if media_id is None or media_id.isdigit():
        return None
    try:
        upload_id = UUID(media_id)
    except ValueError:
        return None
    return UploadedFile(upload_id, str(shape.__struct_config__.tag), field)


def _renamed(file: _Shape, media_id: str, filename: str | None) -> _Shape:
    if isinstance(file, _Named) and file.filename is None:
        return msgspec.structs.replace(file, media_id=media_id, filename=filename)
    return msgspec.structs.replace(file, media_id=media_id)
