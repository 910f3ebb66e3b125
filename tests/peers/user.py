"""One logged-in slixmpp user that remembers what it received. Knows nothing of servers, gateways or radios."""

import asyncio
import ssl
import time

import slixmpp

EXTENSIONS = (
    "xep_0004", "xep_0012", "xep_0030", "xep_0045", "xep_0047", "xep_0054", "xep_0060", "xep_0084",
    "xep_0085", "xep_0092", "xep_0115", "xep_0153", "xep_0163", "xep_0172", "xep_0184", "xep_0199",
    "xep_0202", "xep_0280", "xep_0313", "xep_0333", "xep_0410",
)


class User(slixmpp.ClientXMPP):
    """Logs in at a given address (no DNS), accepts any certificate, answers no subscription by itself."""

    def __init__(self, jid, password, address, patience):
        super().__init__(jid, password)
        self.address, self.patience = address, patience
        self.messages, self.presences, self.receipts = [], [], []
        self.ssl_context.check_hostname = False
        self.ssl_context.verify_mode = ssl.CERT_NONE
        self.enable_direct_tls = False
        self.auto_authorize, self.auto_subscribe = None, False
        for name in EXTENSIONS:
            self.register_plugin(name)
        self["xep_0199"].timeout = patience
        for event in ("message", "groupchat_message", "message_error"):
            self.add_event_handler(event, self.messages.append)
        self.add_event_handler("receipt_received", lambda message: self.receipts.append(message["receipt"]))
        self.register_handler(slixmpp.xmlstream.handler.Callback(
            "every presence", slixmpp.xmlstream.matcher.StanzaPath("presence"), self.presences.append))

    async def login(self):
        """Returns once the roster is here and the initial presence is sent."""
        self.connect(*self.address)
        await self.wait_until("session_start", timeout=4 * self.patience)
        await self.get_roster(timeout=self.patience)
        self.send_presence()

    async def until(self, condition, what):
        """Waits for condition() to become true: at most `patience` seconds."""
        deadline = time.monotonic() + self.patience
        while not (result := condition()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {what}")
            await asyncio.sleep(0.02)
        return result

    async def message(self, body, kind=None):
        """The first received message with this body."""
        def found():
            return [m for m in self.messages if m["body"] == body and (kind is None or m["type"] == kind)]
        return (await self.until(found, "message"))[0]

    async def presence(self, kind, jid, **fields):
        """The first presence of this type from this full or bare JID, e.g. status='busy'."""
        def found():
            return [p for p in self.presences
                    if (p.xml.get("type") or "available") == kind
                    and str(jid) in (p["from"].full, p["from"].bare)
                    and all(p[name] == value for name, value in fields.items())]
        return (await self.until(found, f"{kind} presence from {jid}"))[0]
