"""Personal eventing, the own archive, carbons, and a byte stream inside stanzas."""

import asyncio

import slixmpp

from checks import check
from checks_presence import again

NICK = "http://jabber.org/protocol/nick"


def next_nick(user):
    """A future for the next XEP-0172 event of this user's contacts."""
    future = asyncio.get_running_loop().create_future()
    user.add_event_handler("user_nick_publish", lambda event: future.done() or future.set_result(event))
    return future


@check
async def pep_event(a, b):
    """A asks for nicknames (+notify), B publishes one, A is told."""
    event = next_nick(a)
    a["xep_0163"].add_interest(NICK)
    await a["xep_0115"].update_caps()
    a.send_presence()
    await asyncio.sleep(min(1, a.patience / 4))
    await b["xep_0172"].publish_nick("Jule", timeout=b.patience)
    got = await asyncio.wait_for(event, a.patience)
    nick = got["pubsub_event"]["items"]["item"]["nick"]["nick"]
    assert nick == "Jule", f"nick is {nick}"


@check
async def pep_get(a, b):
    """A reads B's nickname node."""
    answer = await a["xep_0060"].get_items(slixmpp.JID(b.boundjid.bare), NICK, timeout=a.patience)
    assert len(answer["pubsub"]["items"]) == 1, "not one item"


@check
async def pep_last_item_at_login(a, b):
    """A new session of A that wants nicknames gets the last one without asking."""
    second = again(a)
    second["xep_0163"].add_interest(NICK)
    event = next_nick(second)
    await second.login()
    try:
        await asyncio.wait_for(event, a.patience)
    finally:
        await second.disconnect()


@check
async def own_archive(a, b):
    """XEP-0313: A's server kept the chat with B."""
    answer = await a["xep_0313"].retrieve(
        with_jid=slixmpp.JID(b.boundjid.bare), timeout=a.patience, iterator=False)
    count = len(answer["mam"]["results"])
    assert count, "archive is empty"
    return f"{count} messages"


@check
async def carbons(a, b):
    """XEP-0280: a second session of A sees what the first receives and sends."""
    second, copies = again(a), []
    await second.login()
    await second["xep_0280"].enable(timeout=a.patience)
    second.add_event_handler("carbon_received", copies.append)
    second.add_event_handler("carbon_sent", copies.append)
    try:
        b.send_message(a.boundjid.full, "to the first session", mtype="chat")
        a.send_message(b.boundjid.full, "from the first session", mtype="chat")
        await a.until(lambda: len(copies) == 2, "two carbons")
    finally:
        await second.disconnect()


@check
async def in_band_bytes(a, b):
    """XEP-0047: five thousand bytes in blocks of one thousand."""
    payload = b"x" * 5000
    b["xep_0047"].auto_accept = True
    opened = asyncio.get_running_loop().create_future()
    b.add_event_handler("ibb_stream_start", lambda stream: opened.done() or opened.set_result(stream))
    sender = await a["xep_0047"].open_stream(b.boundjid, block_size=1024, timeout=a.patience)
    receiver = await asyncio.wait_for(opened, a.patience)
    gathered = asyncio.create_task(receiver.gather(timeout=3 * a.patience))
    await sender.sendall(payload, timeout=a.patience)
    await sender.close(timeout=a.patience)
    assert await gathered == payload, "other bytes"
