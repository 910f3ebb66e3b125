"""Chat between the two users: full and bare addresses, long text, an address nobody has."""

import uuid

from checks import check


def token():
    """A body nobody else sends."""
    return uuid.uuid4().hex


@check
async def chat_to_full_jid(a, b):
    """A sends to B's full JID with a receipt request and a chat state; the receipt comes back."""
    stanza = a.make_message(b.boundjid.full, token(), mtype="chat")
    stanza["request_receipt"] = True
    stanza["chat_state"] = "active"
    stanza.send()
    got = await b.message(stanza["body"])
    assert got["from"] == a.boundjid, f"from {got['from']}"
    assert got["request_receipt"], "receipt request lost"
    assert got["chat_state"] == "active", "chat state lost"
    await a.until(lambda: stanza["id"] in a.receipts, "receipt")


@check
async def chat_to_bare_jid(a, b):
    """B answers to A's bare JID."""
    body = token()
    b.send_message(a.boundjid.bare, body, mtype="chat")
    await a.message(body)


@check
async def chat_of_8_kb(a, b):
    """Long text with every kind of character XML must escape."""
    body = "ü€😀<&>\"'" * 800
    a.send_message(b.boundjid.bare, body, mtype="chat")
    await b.message(body)


@check
async def chat_to_nobody(a, b):
    """An unknown user of a known server: the error carries the original id."""
    stanza = a.make_message(f"nobody@{b.boundjid.domain}", token(), mtype="chat")
    stanza.send()
    def bounced():
        return [m for m in a.messages if m["type"] == "error" and m["id"] == stanza["id"]]
    return (await a.until(bounced, "error"))[0]["error"]["condition"]
