"""Subscription both ways, presence updates, probes at login, unavailable at logout."""

import asyncio

from checks import check
from user import User


def again(user):
    """A second session of the same account."""
    return User(user.boundjid.bare, user.password, user.address, user.patience)


@check
async def subscribe_both_ways(a, b):
    """Request, approval and the first presence, in each direction; the roster then says `both`."""
    for one, other in ((a, b), (b, a)):
        if other.boundjid.bare in one.client_roster:
            one.del_roster_item(other.boundjid.bare)
    await asyncio.sleep(min(1, a.patience / 5))
    for one, other in ((a, b), (b, a)):
        one.presences.clear()
        other.presences.clear()
        one.send_presence(pto=other.boundjid.bare, ptype="subscribe")
        await other.presence("subscribe", one.boundjid.bare)
        other.send_presence(pto=one.boundjid.bare, ptype="subscribed")
        await one.presence("subscribed", other.boundjid.bare)
        await one.presence("available", other.boundjid.full)
    await a.get_roster(timeout=a.patience)
    state = a.client_roster[b.boundjid.bare]["subscription"]
    assert state == "both", f"subscription is {state}"


@check
async def presence_update(a, b):
    """B turns busy, A sees it."""
    a.presences.clear()
    b.send_presence(pshow="dnd", pstatus="busy")
    await a.presence("available", b.boundjid.full, show="dnd", status="busy")


@check
async def presence_at_login(a, b):
    """A second session of A sees B at once; B sees it come and go."""
    second = again(a)
    await second.login()
    await second.presence("available", b.boundjid.full)
    await b.presence("available", second.boundjid.full)
    gone = second.boundjid.full
    await second.disconnect()
    await b.presence("unavailable", gone)
