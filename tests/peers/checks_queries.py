"""Requests and answers: ping, discovery, version, time, last activity, vCard, capabilities."""

import slixmpp
from slixmpp.xmlstream import ET

from checks import check


async def ping(a, jid):
    """A pings an address and gets a result."""
    await a["xep_0199"].send_ping(slixmpp.JID(jid), timeout=a.patience)


@check
async def ping_full_jid(a, b):
    """XEP-0199 to B's client."""
    await ping(a, b.boundjid.full)


@check
async def ping_bare_jid(a, b):
    """XEP-0199 to B's account."""
    await ping(a, b.boundjid.bare)


@check
async def ping_host(a, b):
    """XEP-0199 to B's server."""
    await ping(a, b.boundjid.domain)


async def features(a, jid):
    """How many features an address claims, asked afresh."""
    answer = await a["xep_0030"].get_info(jid, timeout=a.patience, cached=False, local=False)
    count = len(answer["disco_info"]["features"])
    assert count, "no features"
    return f"{count} features"


@check
async def disco_info_host(a, b):
    """XEP-0030: what B's server can do."""
    return await features(a, b.boundjid.domain)


@check
async def disco_items_host(a, b):
    """XEP-0030: B's server lists its rooms service."""
    answer = await a["xep_0030"].get_items(b.boundjid.domain, timeout=a.patience)
    items = sorted(str(item[0]) for item in answer["disco_items"]["items"])
    assert f"conference.{b.boundjid.domain}" in items, f"items are {items}"
    return f"{len(items)} items"


@check
async def disco_info_full_jid(a, b):
    """XEP-0030: what B's client can do."""
    return await features(a, b.boundjid.full)


@check
async def disco_info_bare_jid(a, b):
    """XEP-0030: what B's account can do."""
    return await features(a, b.boundjid.bare)


@check
async def software_version(a, b):
    """XEP-0092 of B's client."""
    answer = await a["xep_0092"].get_version(b.boundjid.full, timeout=a.patience)
    assert answer["software_version"]["name"], "no name"
    return answer["software_version"]["name"]


@check
async def entity_time(a, b):
    """XEP-0202 of B's server."""
    request = a.make_iq_get(ito=b.boundjid.domain)
    request.append(ET.Element("{urn:xmpp:time}time"))
    answer = await request.send(timeout=a.patience)
    utc = answer.xml.findtext(".//{urn:xmpp:time}utc")
    assert utc, "no time"
    return utc


@check
async def last_activity(a, b):
    """XEP-0012 of B's account."""
    answer = await a["xep_0012"].get_last_activity(slixmpp.JID(b.boundjid.bare), timeout=a.patience)
    return f"{answer['last_activity']['seconds']} s"


@check
async def vcard(a, b):
    """XEP-0054: B publishes, A reads."""
    card = b["xep_0054"].make_vcard()
    card["FN"] = "Juliet Capulet"
    await b["xep_0054"].publish_vcard(card, timeout=b.patience)
    answer = await a["xep_0054"].get_vcard(slixmpp.JID(b.boundjid.bare), timeout=a.patience)
    assert answer["vcard_temp"]["FN"] == "Juliet Capulet", "another name"


@check
async def capabilities(a, b):
    """XEP-0115: the hash of B's capabilities came with its presence."""
    hashes = [p["caps"]["ver"] for p in a.presences if p["from"] == b.boundjid and p["caps"]["ver"]]
    assert hashes, "no caps in any presence of B"
    return hashes[-1]
