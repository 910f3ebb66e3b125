"""A room on B's server joined by A from the other one."""

import uuid

import slixmpp

from checks import check
from checks_chat import token
from checks_queries import ping

NAME = f"r{uuid.uuid4().hex[:6]}"


def room_of(b):
    """The room of this run."""
    return f"{NAME}@conference.{b.boundjid.domain}"


async def enter(user, room, nick):
    """Joins and waits for the own presence."""
    user["xep_0045"].join_muc(slixmpp.JID(room), nick)
    await user.wait_until(f"muc::{room}::self-presence", timeout=user.patience)


@check
async def room_join(a, b):
    """B makes and configures the room, A joins; each sees the other."""
    room = room_of(b)
    await enter(b, room, "nurse")
    form = b["xep_0004"].make_form("submit")
    await b["xep_0045"].set_room_config(slixmpp.JID(room), form, timeout=b.patience)
    await enter(a, room, "romeo")
    await a.until(lambda: "nurse" in a["xep_0045"].get_roster(room), "B in A's room")
    await b.until(lambda: "romeo" in b["xep_0045"].get_roster(room), "A in B's room")


@check
async def room_messages(a, b):
    """Each speaks once: both hear both."""
    for one, other in ((a, b), (b, a)):
        body = token()
        one.send_message(room_of(b), body, mtype="groupchat")
        await other.message(body, "groupchat")
        await one.message(body, "groupchat")


@check
async def room_private_message(a, b):
    """A to B's occupant JID."""
    body = token()
    a.send_message(f"{room_of(b)}/nurse", body, mtype="chat")
    await b.message(body)


@check
async def room_iq_to_occupant(a, b):
    """A pings B through the room."""
    await ping(a, f"{room_of(b)}/nurse")


@check
async def room_self_ping(a, b):
    """XEP-0410: A asks whether it is still inside."""
    await ping(a, f"{room_of(b)}/romeo")


@check
async def room_disco(a, b):
    """What the room can do."""
    answer = await a["xep_0030"].get_info(slixmpp.JID(room_of(b)), timeout=a.patience)
    return f"{len(answer['disco_info']['features'])} features"


@check
async def room_archive(a, b):
    """XEP-0313 of the room, asked by A."""
    answer = await a["xep_0313"].retrieve(
        jid=slixmpp.JID(room_of(b)), timeout=a.patience, iterator=False)
    return f"{answer['mam_fin']['rsm']['count']} messages"


@check
async def room_leave(a, b):
    """A leaves, B sees it."""
    room = room_of(b)
    a["xep_0045"].leave_muc(slixmpp.JID(room), "romeo")
    await b.until(lambda: "romeo" not in b["xep_0045"].get_roster(room), "A gone from the room")
