"""The plainest thing between two servers: every stanza one component receives is written, byte for byte, by its twin.

    python relay.py A_DOMAIN A_PORT B_DOMAIN B_PORT SECRET

On A's server it is the components B_DOMAIN and conference.B_DOMAIN; on B's server those of A_DOMAIN. What a probe
loses through it is the servers' doing (XEP-0114), not a gateway's. Prints "ready" when all four are accepted."""

import asyncio
import hashlib
import sys
from xml.parsers import expat

HEADER = ("<stream:stream xmlns='jabber:component:accept' "
          "xmlns:stream='http://etherx.jabber.org/streams' to='{}'>")


class Component:
    """One XEP-0114 stream: cuts the bytes it receives into stanzas without changing them."""

    def __init__(self, name, port, secret, forward):
        self.name, self.port, self.secret, self.forward = name, port, secret, forward
        self.accepted = asyncio.get_running_loop().create_future()
        self.depth, self.leaf, self.sender, self.held = 0, False, None, b""
        self.base, self.start, self.done = 0, 0, 0  # offsets in the stream: of held[0], this stanza, the last one's end
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler, self.parser.EndElementHandler = self.opened, self.closed

    async def run(self):
        """Connects, shakes hands, forwards until the server hangs up."""
        reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(HEADER.format(self.name).encode())
        while data := await reader.read(65536):
            self.held += data
            self.parser.Parse(data, False)
            self.held, self.base = self.held[self.done - self.base:], self.done
        raise SystemExit(f"{self.name}: the server closed the stream")

    def opened(self, tag, attributes):
        """A start tag: the stream's own, or a stanza's, whose place and sender are kept."""
        if self.depth == 0:
            digest = hashlib.sha1((attributes["id"] + self.secret).encode()).hexdigest()
            self.writer.write(f"<handshake>{digest}</handshake>".encode())
        elif self.depth == 1:
            self.start, self.sender = self.parser.CurrentByteIndex, attributes.get("from")
        self.leaf = self.depth == 1
        self.depth += 1

    def closed(self, tag):
        """An end tag: of a whole stanza, or of something inside it."""
        self.depth -= 1
        if self.depth != 1:
            return
        start, here = self.start - self.base, self.parser.CurrentByteIndex - self.base
        # expat stands behind an empty-element tag, but in front of an end tag.
        empty = self.leaf and self.held[here - 2:here] == b"/>"
        end = here if empty else self.held.index(b">", here) + 1
        stanza, self.done = self.held[start:end], self.base + end
        if tag == "handshake":
            self.accepted.set_result(None)
            return
        if tag == "stream:error":
            raise SystemExit(f"{self.name}: {stanza.decode()}")
        self.forward(self.sender.rpartition("@")[2].partition("/")[0], stanza)


async def main(a, a_port, b, b_port, secret):
    """Four components, joined crosswise."""
    ends = {}
    def towards(side):
        return lambda domain, stanza: ends[side, domain].writer.write(stanza)
    for side, port, domain, far in (("a", a_port, b, "b"), ("b", b_port, a, "a")):
        for name in (domain, f"conference.{domain}"):
            ends[side, name] = Component(name, int(port), secret, towards(far))
    tasks = [asyncio.ensure_future(end.run()) for end in ends.values()]
    ready = asyncio.gather(*(end.accepted for end in ends.values()))
    await asyncio.wait([ready, *tasks], return_when=asyncio.FIRST_COMPLETED)
    if ready.done():
        print("ready", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
