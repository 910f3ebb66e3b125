"""What comes last: a host nobody has, and the end of the subscription."""

from slixmpp.exceptions import IqError

from checks import check
from checks_queries import ping


@check
async def ping_unknown_host(a, b):
    """An unknown server is an error, not a silence."""
    try:
        await ping(a, "nowhere.example")
    except IqError as error:
        return error.condition
    raise AssertionError("a host that is not there answered")


@check
async def unsubscribe(a, b):
    """A unsubscribes; B is told, and A sees B go (RFC 6121 section 3.3.2)."""
    a.presences.clear()
    b.presences.clear()
    a.send_presence(pto=b.boundjid.bare, ptype="unsubscribe")
    try:
        await b.presence("unsubscribe", a.boundjid.bare)
        await a.presence("unavailable", b.boundjid.full)
    finally:
        b.send_presence(pto=a.boundjid.bare, ptype="unsubscribe")
        a.del_roster_item(b.boundjid.bare)
        b.del_roster_item(a.boundjid.bare)
