//! Base, for measuring a board: the other end of its link and of its codec, with a clock of its own. Refuses losses.

use longwire_codec::dictionary::Dictionary;
use longwire_codec::link::{Event, Link, LinkConfig, Priority, Resume, Side};
use longwire_codec::seal::Secret;
use longwire_codec::session::{Options, Session};
use longwire_codec::stanza::{Arena, Node};
use longwire_codec::time::Instant;
use longwire_firmware::compose::compose;
use longwire_firmware::endpoint::{PROFILE, channel};
use longwire_firmware::text::Text;

use super::{CHAT, PROVISION, SESSION_LEN};

/// Most characters a board takes: not ASCII, so that the text model works hardest.
const LONG: &str = "Wörter über Wörter: 風が強い。Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich, and \
    the quick brown fox waits at N 59° 19.758′ E 18° 4.115′ until 2026-11-20T15:00:00Z for 3.1415926 reasons.";

/// What base can say.
#[derive(Clone, Copy)]
pub enum Say {
    /// Asks for the board's presence.
    Subscribe,
    /// A chat with receipt request.
    Chat(&'static str),
    /// Asks for its features.
    Disco,
    /// Runs a command; `set` carries a form.
    Command(&'static str),
    /// A long chat.
    Long,
}

/// See the module.
pub struct Base {
    link: Link<[u8; 8192]>,
    session: Session<'static, [u8; SESSION_LEN]>,
    now: u64,
    waiting: Option<Say>,
    /// Its end of an agreement on a new key.
    #[cfg(feature = "edhoc")]
    pub rekey: longwire_codec::rekey::Rekey,
}

impl Base {
    /// Base, with nothing to say yet.
    pub fn new(dictionary: &'static Dictionary<'static>) -> Option<Self> {
        let config = LinkConfig {
            window: 8,
            out_len: 2048,
            ..LinkConfig::new(Side::A, Secret::new(&PROVISION.key)?)
        };
        let resume = Resume {
            epoch: 1,
            ..Resume::default()
        };
        Some(Self {
            link: Link::new(config, channel(&PROVISION), resume, [0; 8192]).ok()?,
            session: Session::new(dictionary, PROFILE, [0; SESSION_LEN]).ok()?,
            now: 0,
            waiting: None,
            #[cfg(feature = "edhoc")]
            rekey: {
                use longwire_codec::rekey::{Keys, Rekey};
                Rekey::new(Side::A, Keys::new(Secret::new(&PROVISION.key)?))
            },
        })
    }

    /// Virtual time.
    pub fn now(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    /// Says this next.
    pub fn say(&mut self, say: Say) {
        self.waiting = Some(say);
    }

    /// Whether everything was said and heard.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_none() && self.link.is_idle()
    }

    /// Writes the next frame; returns its length once it is off the air.
    pub fn speak(&mut self, frame: &mut [u8]) -> Option<usize> {
        let now = self.now();
        self.link.handle_timeout(now);
        #[cfg(feature = "edhoc")]
        self.agree();
        if let Some(say) = self.waiting
            && let Some(grant) = self.link.grant(now, Priority::Chat)
        {
            let number = grant.number;
            let mut packet = [0; 1024];
            let len = encode(&mut self.session, number, say, &mut packet)?;
            grant.buffer.get_mut(..len)?.copy_from_slice(&packet[..len]);
            self.link.commit(now, len);
            self.waiting = None;
        }
        let sent = self.link.poll_transmit(now, frame)?;
        self.pass(sent.len);
        let now = self.now();
        self.link.handle_sent(now);
        Some(sent.len)
    }

    /// A frame of the board.
    pub fn hear(&mut self, frame: &mut [u8]) -> Option<()> {
        self.pass(frame.len());
        let now = self.now();
        self.link.handle_frame(now, frame);
        #[cfg(feature = "edhoc")]
        self.agree();
        while let Some(event) = self.link.poll_event() {
            if let Event::Delivered(number) = event {
                self.session.acknowledge(number);
            }
        }
        while let Some((number, bytes)) = self.link.recv() {
            let (mut strings, mut tape) = ([0; 4096], [Node::Close; 200]);
            let mut arena = Arena::new(&mut strings);
            if !bytes.is_empty() {
                self.session
                    .decode(number, bytes, &mut arena, &mut tape)
                    .ok()?;
            }
            self.link.accept(now, number);
        }
        Some(())
    }

    /// Moves an agreement on a new key on.
    #[cfg(feature = "edhoc")]
    fn agree(&mut self) {
        let now = self.now();
        let link = &mut self.link;
        while self
            .rekey
            .advance(now, link, &mut || Some([7; 32]))
            .is_some()
        {
            self.rekey.stored(now, link);
        }
    }

    /// Lets time pass until something is due here or at the board.
    pub fn wait(&mut self, board: Option<Instant>) {
        let ours = self.link.poll_timeout().map(|(at, _)| at);
        #[cfg(feature = "edhoc")]
        let ours = ours.into_iter().chain(self.rekey.poll_timeout()).min();
        let next = [ours, board]
            .into_iter()
            .flatten()
            .map(Instant::as_millis)
            .min();
        self.now = next.unwrap_or(self.now).max(self.now + 1);
    }

    fn pass(&mut self, octets: usize) {
        self.now += channel(&PROVISION).airtime_ms(octets) + 100;
    }
}

fn encode(
    session: &mut Session<'static, [u8; SESSION_LEN]>,
    number: longwire_codec::link::PacketNumber,
    say: Say,
    packet: &mut [u8],
) -> Option<usize> {
    const COMMAND: &str = "<iq|type=set|id=?|<c:command|node=?|(|<x:x|type=submit|\
        <field|var=status|<value|=.|>|>|<field|var=position|<value|=?|>|>|>|)";
    let (form, items): (_, &[&str]) = match say {
        Say::Subscribe => ("<presence|type=subscribe|id=?", &["s1"]),
        Say::Chat(body) => (CHAT, &["c1", body]),
        Say::Long => (CHAT, &["c2", LONG]),
        Say::Disco => ("<iq|type=get|id=?|<i:query", &["d1"]),
        Say::Command("set") => (COMMAND, &["x1", "set", "at anchor", "59.3293 18.0686"]),
        Say::Command(node) => (COMMAND, &["x2", node]),
    };
    let (mut texts, mut tape) = ([0; 1024], [Node::Close; 64]);
    let mut text = Text::new(&mut texts);
    text.item("buoy@field.example");
    for item in items {
        text.item(item);
    }
    let stanza = compose(form, "romeo@base.example/phone", text.whole()?, &mut tape)?;
    session
        .encode(number, stanza, Options::default(), packet)
        .ok()
}
