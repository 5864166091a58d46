"""Nebula and the LeapX Hub: one gateway protocol in front of Sora 2, Veo, Wan 2.5 and Doubao Seedance.

The body of a submit is each family's own, and so is where a finished clip is found. Answers come flat, as the
documents show them, or in the envelope of the gateway's older backend. Sources: the gateway's pages of submit,
query and download, its guides to the families, and its published backend; the table names them.
"""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any, NoReturn

from vidspec.errors import Refused
from vidspec.providers import answers, fields, table
from vidspec.providers.nebula_answers import failure, progress_of
from vidspec.wire import CLIP_BYTES, MOST_BYTES, Call, Source, segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vidspec.wire import Progress, Sending, Talk, Ticket

_PATH = "/video/generations"


def submit(sending: Sending) -> Talk[str]:
    """Ask for a clip. An answer without a `task_id` is an error whatever its status."""
    body = _BODIES[_family(sending.model)](sending)
    call = Call(purpose="submit", verb="POST", path=_PATH, body=body)
    reply = yield call
    request_id = answers.identity(answers.value(reply), "task_id", "data.task_id")
    if not 200 <= reply.status < 300 or not request_id:
        raise failure(call, reply)
    return request_id


def poll(ticket: Ticket) -> Talk[Progress]:
    """Look at a request. Veo's clip may stand in the answer itself; Sora's is fetched by its id."""
    family = _family(ticket.model)
    path = f"{_PATH}/{segment(ticket.request_id)}"
    call = Call(purpose="poll", verb="GET", path=path, most_bytes=CLIP_BYTES if family == "veo" else MOST_BYTES)
    reply = yield call
    handle = ticket.request_id if family == "sora" else None
    progress = progress_of(answers.value(reply), table(ticket.provider).states, handle)
    if not 200 <= reply.status < 300 or progress is None:
        raise failure(call, reply)
    return progress


def result(_ticket: Ticket, progress: Progress) -> Talk[Source]:
    """The clip behind the link or in it; for Sora a call whose answer is JSON that holds the clip as base64."""
    if progress.link:
        return _linked(progress.link)
    if not progress.handle:
        raise Refused(progress.reason or "the request has succeeded, and its answer names no clip", blame="lost")
    path = f"{_PATH}/download?id={segment(progress.handle)}"
    call = Call(purpose="result", verb="GET", path=path, most_bytes=CLIP_BYTES)
    reply = yield call
    found = answers.mapping(reply)
    clip = answers.text(found, "base64", "data_url")
    if not 200 <= reply.status < 300 or not clip:
        raise failure(call, reply)
    return Source(data=_decoded(clip), size=max(0, answers.whole(found, "size") or 0) or None)


def _linked(link: str) -> Source:
    return Source(data=_decoded(link)) if link[:5].lower() == "data:" else Source(url=link)


def _decoded(words: str) -> bytes:
    """The bytes of base64, also in a data URI. Raises Refused for what is neither."""
    head, _, rest = words.partition(",") if words[:5].lower() == "data:" else (";base64", "", words)
    coded = "".join(rest.split()) if head.lower().endswith(";base64") else ""
    try:
        return b64decode(coded, validate=True) or _unread()
    except ValueError:
        return _unread()


def _unread() -> NoReturn:
    raise Refused("the clip in the answer cannot be read: it is no base64")


# --- what each family is sent ------------------------------------------------------------------------------


def _family(model: str) -> str:
    """`sora`, `veo`, `wan2.5` or `doubao`: how a model's name begins."""
    return model.partition("-")[0]


def _sora(sending: Sending) -> dict[str, Any]:
    """The length as a text, as in the guide; a remix takes shape and length from its clip."""
    body = fields.body(sending)
    if sending.mode == "remix":
        return body
    return body | {"seconds": str(sending.request["duration"]), "size": fields.size(sending)}


def _veo(sending: Sending) -> dict[str, Any]:
    request = sending.request
    return fields.body(sending) | {"aspectRatio": request["aspect_ratio"], "resolution": request["resolution"]}


def _wan(sending: Sending) -> dict[str, Any]:
    """From text a size with an asterisk; with a picture only the tier, the ratio is the picture's."""
    if sending.mode == "text_to_video":
        return fields.body(sending) | {"size": fields.size(sending)}
    return fields.body(sending) | {"resolution": sending.request["resolution"]}


def _seedance(sending: Sending) -> dict[str, Any]:
    """All in `metadata.content`: without it the gateway makes, and charges, a clip of a stock sentence."""
    text = " ".join([sending.request["prompt"].rstrip(), *_flags(sending)])
    pictures = [
        {"type": "image_url", "image_url": {"url": address}, "role": role}
        for setting, role in _ROLES.items()
        for address in fields.pictures(sending, setting)
    ]
    return {"model": sending.model, "metadata": {"content": [{"type": "text", "text": text}, *pictures]}}


def _flags(sending: Sending) -> Iterator[str]:
    """What the request says, as Seedance reads it at the end of the text."""
    request = sending.request
    for setting, flag in _FLAGS.items():
        if setting in request:
            value = request[setting]
            yield f"{flag} {str(value).lower() if isinstance(value, bool) else value}"
    if request.get("camera"):
        yield "--cf true"
    if sending.seed is not None:
        yield f"--seed {sending.seed}"


_FLAGS = {"aspect_ratio": "--ratio", "resolution": "--rs", "duration": "--dur", "fps": "--fps", "watermark": "--wm"}
_ROLES = {"first_frame": "first_frame", "last_frame": "last_frame", "references": "reference_image"}
_BODIES: dict[str, Callable[[Sending], dict[str, Any]]] = {
    "sora": _sora,
    "veo": _veo,
    "wan2.5": _wan,
    "doubao": _seedance,
}
