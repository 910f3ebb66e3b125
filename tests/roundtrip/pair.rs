//! Two sessions and the packets under way between them.

use crate::chance::{Owned, canonical, nodes};
use longwire_codec::dictionary::Dictionary;
use longwire_codec::link::PacketNumber;
use longwire_codec::session::{Ids, Options, Profile, Session};
use longwire_codec::stanza::{Arena, Node, Stanza};
use tests::dice::Dice;

/// One of the two.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    Near,
    Far,
}

struct Flying {
    from: End,
    number: PacketNumber,
    packet: Vec<u8>,
    stanza: Vec<Owned>,
    arrived: bool,
}

/// Two sessions.
pub(crate) struct Pair {
    ends: [Session<'static, Vec<u8>>; 2],
    next: [u32; 2],
    flying: Vec<Flying>,
    /// Packets read so far, each equal to what was written.
    pub(crate) delivered: usize,
    /// Octets of the packet written last.
    pub(crate) last_len: usize,
}

impl Pair {
    pub(crate) fn new(dictionary: &'static Dictionary<'static>, profile: Profile) -> Self {
        let end = || Session::new(dictionary, profile, vec![0; profile.storage_len()]);
        Self {
            ends: [end().expect("sized"), end().expect("sized")],
            next: [0; 2],
            flying: Vec::new(),
            delivered: 0,
            last_len: 0,
        }
    }

    /// Writes a stanza; it is under way then.
    pub(crate) fn send(&mut self, from: End, stanza: Vec<Owned>, ids: Ids) {
        let nodes = nodes(&stanza);
        let tape = Stanza::new(&nodes).expect("balanced");
        let number = PacketNumber::new(self.next[from as usize]);
        self.next[from as usize] += 1;
        let mut packet = vec![0; 1 << 16];
        let options = Options {
            ids,
            ..Options::default()
        };
        let session = &mut self.ends[from as usize];
        let len = session
            .encode(number, tape, options, &mut packet)
            .expect("written");
        packet.truncate(len);
        self.last_len = len;
        let stanza = canonical(tape);
        self.flying.push(Flying {
            from,
            number,
            packet,
            stanza,
            arrived: false,
        });
    }

    fn arrive(&mut self, at: usize) {
        let flying = &mut self.flying[at];
        if flying.arrived {
            return;
        }
        flying.arrived = true;
        let to = 1 - flying.from as usize;
        let mut buffer = vec![0; 1 << 16];
        let mut tape = vec![Node::Close; 1 << 12];
        let stanza = self.ends[to]
            .decode(
                flying.number,
                &flying.packet,
                &mut Arena::new(&mut buffer),
                &mut tape,
            )
            .unwrap_or_else(|error| panic!("{}: {error}: {:?}", flying.number, flying.stanza));
        let read = canonical(stanza);
        for (read, written) in read.iter().zip(&flying.stanza) {
            assert_eq!(read, written, "packet {}", flying.number);
        }
        assert_eq!(read.len(), flying.stanza.len(), "packet {}", flying.number);
        self.delivered += 1;
    }

    /// Some packets arrive, in any order; some acknowledgements do; some packets are given up.
    pub(crate) fn weather(&mut self, dice: &mut Dice) {
        for _ in 0..dice.below(7) {
            if self.flying.is_empty() {
                return;
            }
            let at = dice.below(self.flying.len().min(20));
            match dice.below(8) {
                // Whether it arrived or not: nobody knows.
                0 => {
                    let lost = self.flying.remove(at);
                    self.ends[lost.from as usize].abandon(lost.number);
                }
                1..=4 => self.arrive(at),
                _ if self.flying[at].arrived => {
                    let done = self.flying.remove(at);
                    self.ends[done.from as usize].acknowledge(done.number);
                }
                _ => {}
            }
        }
    }

    /// Everything arrives and is acknowledged.
    pub(crate) fn settle(&mut self) {
        for at in 0..self.flying.len() {
            self.arrive(at);
        }
        for done in self.flying.drain(..) {
            self.ends[done.from as usize].acknowledge(done.number);
        }
    }

    /// The packet sent last arrives, and its acknowledgement never does.
    pub(crate) fn arrive_unheard(&mut self) {
        let last = self.flying.len() - 1;
        self.arrive(last);
        self.flying.remove(last);
    }

    /// One end starts afresh, as the other did before.
    pub(crate) fn start_afresh(&mut self, end: End) {
        self.ends[end as usize].reset();
    }

    /// Both ends start afresh.
    pub(crate) fn reset(&mut self) {
        self.ends.iter_mut().for_each(Session::reset);
    }

    /// Sends one stanza with short ids over a good link; returns what the other end hands to its client.
    pub(crate) fn pass(&mut self, from: End, stanza: &[Owned]) -> Vec<Owned> {
        self.send(from, stanza.to_vec(), Ids::Short);
        let flying = self.flying.pop().expect("just sent");
        let mut buffer = vec![0; 1 << 16];
        let mut tape = vec![Node::Close; 1 << 12];
        let to = 1 - from as usize;
        let stanza = self.ends[to]
            .decode(
                flying.number,
                &flying.packet,
                &mut Arena::new(&mut buffer),
                &mut tape,
            )
            .expect("read");
        let out = canonical(stanza);
        self.ends[from as usize].acknowledge(flying.number);
        out
    }
}
