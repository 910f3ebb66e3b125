"""A slixmpp client driven over standard input and output: one JSON command per line in, one JSON event per line out.

    {"do": "login", "jid": ..., "password": ..., "host": ..., "port": ..., "tls": "start" | "direct" | "none"}
    {"do": "send", "xml": "<message .../>"}      any stanza, as it is
    {"do": "logout"}

    {"event": "online", "jid": ...}    {"event": "failed", "why": ...}    {"event": "offline"}
    {"event": "stanza", "xml": ...}    every stanza received after login

Pings, version queries, discovery and receipt requests are answered by slixmpp itself."""

import asyncio
import json
import logging
import ssl
import sys

import slixmpp
from slixmpp.xmlstream import ET, tostring


def say(event, **fields):
    """One event for whoever drives this client."""
    print(json.dumps({"event": event, **fields}), flush=True)


class Client(slixmpp.ClientXMPP):
    """Reports everything; decides nothing."""

    def __init__(self, jid, password, host, port, tls="start"):
        super().__init__(jid, password)
        self.ssl_context.check_hostname = False
        self.ssl_context.verify_mode = ssl.CERT_NONE
        self.is_online = False
        self.auto_authorize, self.auto_subscribe = None, False
        self.enable_direct_tls, self.enable_starttls = tls == "direct", tls == "start"
        self.enable_plaintext = tls == "none"
        for name in ("xep_0030", "xep_0092", "xep_0115", "xep_0184", "xep_0198", "xep_0199", "xep_0202"):
            self.register_plugin(name)
        self.add_event_handler("session_start", self.online)
        self.add_event_handler("disconnected", lambda why: say("offline", why=str(why or "")))
        for event in ("failed_all_auth", "connection_failed", "stream_error"):
            self.add_event_handler(event, lambda why, event=event: say("failed", why=f"{event}: {why}"))
        self.add_filter("in", self.heard)
        self.connect(host, port)

    async def online(self, _):
        """Reports the bound address; presence and roster are the driver's to send."""
        self.is_online = True
        say("online", jid=self.boundjid.full)

    def heard(self, stanza):
        """Reports a stanza and lets it pass."""
        if self.is_online and isinstance(stanza, (slixmpp.Message, slixmpp.Presence, slixmpp.Iq)):
            say("stanza", xml=tostring(stanza.xml, xmlns="", top_level=True))
        return stanza


async def main():
    """Reads commands until standard input ends."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    client = None
    while line := await reader.readline():
        command = json.loads(line)
        match command.pop("do"):
            case "login":
                client = Client(**command)
            case "send":
                client.send_xml(ET.fromstring(command["xml"]))
            case "logout":
                await client.disconnect()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    asyncio.run(main())
