//! Answers over a bad link: every receipt names the message it answers, whatever is lost, late, given up or out of order,
//! and however far either end has got meanwhile.

use crate::chance::{Owned, canonical, nodes};
use crate::ids::{chat, ids, receipt};
use longwire_codec::decode::DecodeError;
use longwire_codec::link::PacketNumber;
use longwire_codec::session::{Options, Profile, Session};
use longwire_codec::stanza::{Arena, Node, Stanza};
use longwire_dictionaries::V1_128K;
use std::mem;
use tests::dice::Dice;

struct Packet {
    from: usize,
    number: u32,
    octets: Vec<u8>,
    /// The id that a receipt in it must name at the other end.
    answers: Option<String>,
}

fn end(profile: Profile, tag: &str) -> Session<'static, Vec<u8>> {
    let session = Session::new(&V1_128K, profile, vec![0; profile.storage_len()]);
    session.expect("sized").with_tag(tag)
}

/// Two ends, the packets between them, and the ids each end has heard: its own name for it, and the sender's.
struct Link {
    ends: [Session<'static, Vec<u8>>; 2],
    sent: [u32; 2],
    heard: [Vec<(String, String)>; 2],
    flying: Vec<Packet>,
    unheard: Vec<(usize, u32)>,
    answered: usize,
}

impl Link {
    fn new(profile: Profile) -> Self {
        Self {
            ends: [end(profile, "a"), end(profile, "b")],
            sent: [0; 2],
            heard: [Vec::new(), Vec::new()],
            flying: Vec::new(),
            unheard: Vec::new(),
            answered: 0,
        }
    }

    fn send(&mut self, from: usize, stanza: &[Owned], answers: Option<String>) {
        let nodes = nodes(stanza);
        let number = self.sent[from];
        self.sent[from] += 1;
        let mut octets = vec![0; 512];
        let len = self.ends[from].encode(
            PacketNumber::new(number),
            Stanza::new(&nodes).expect("balanced"),
            Options::default(),
            &mut octets,
        );
        octets.truncate(len.expect("written"));
        self.flying.push(Packet {
            from,
            number,
            octets,
            answers,
        });
    }

    fn chat(&mut self, from: usize) {
        let id = format!("{from}-message-{:06}", self.sent[from]);
        // The text says what the sender calls it.
        self.send(from, &chat(&id, &id), None);
    }

    /// Answers the message heard `back` messages ago.
    fn answer(&mut self, from: usize, back: usize) {
        let heard = &self.heard[from];
        let Some((here, there)) = heard.len().checked_sub(back + 1).map(|at| &heard[at]) else {
            return;
        };
        let id = format!("{from}-receipt-{:06}", self.sent[from]);
        let (stanza, there) = (receipt(&id, here), there.clone());
        self.send(from, &stanza, Some(there));
    }

    fn arrive(&mut self, packet: Packet) {
        let to = 1 - packet.from;
        let mut buffer = vec![0; 4096];
        let mut tape = [Node::Close; 64];
        let stanza = self.ends[to]
            .decode(
                PacketNumber::new(packet.number),
                &packet.octets,
                &mut Arena::new(&mut buffer),
                &mut tape,
            )
            .unwrap_or_else(|error| panic!("packet {}: {error}", packet.number));
        let stanza = canonical(stanza);
        let text = stanza.iter().find_map(|node| match node {
            Owned::Text(text) => Some(text.clone()),
            _ => None,
        });
        match packet.answers {
            Some(answers) => {
                assert_eq!(ids(&stanza).last(), Some(&answers));
                self.answered += 1;
            }
            None => self.heard[to].push((ids(&stanza)[0].clone(), text.expect("a body"))),
        }
        self.unheard.push((packet.from, packet.number));
    }

    fn acknowledge_all(&mut self) {
        for (end, number) in mem::take(&mut self.unheard) {
            self.ends[end].acknowledge(PacketNumber::new(number));
        }
    }

    /// Something arrives, in no order, or is given up; some acknowledgements do.
    fn weather(&mut self, dice: &mut Dice) {
        for _ in 0..dice.below(5) {
            if !self.flying.is_empty() {
                let packet = self.flying.remove(dice.below(self.flying.len().min(24)));
                if dice.below(12) == 0 {
                    self.ends[packet.from].abandon(PacketNumber::new(packet.number));
                } else {
                    self.arrive(packet);
                }
            }
            if !self.unheard.is_empty() && dice.below(3) > 0 {
                let (end, number) = self.unheard.remove(dice.below(self.unheard.len()));
                self.ends[end].acknowledge(PacketNumber::new(number));
            }
        }
    }
}

#[test]
fn every_receipt_names_its_message_over_a_bad_link() {
    for (seed, reach) in [(21, 60), (22, 3)] {
        println!("seed {seed}");
        let mut dice = Dice::new(seed);
        let mut link = Link::new(Profile::HOST);
        for _ in 0..1500 {
            let from = dice.below(2);
            if dice.below(3) == 0 {
                link.chat(from);
            } else {
                link.answer(from, dice.below(reach));
            }
            link.weather(&mut dice);
        }
        assert!(link.answered > 500, "{}", link.answered);
    }
}

#[test]
fn a_receipt_is_understood_however_far_its_reader_has_got_meanwhile() {
    let mut link = Link::new(Profile::HOST);
    let step = |link: &mut Link, from| {
        link.chat(from);
        let packet = link.flying.pop().expect("just sent");
        link.arrive(packet);
        link.acknowledge_all();
    };
    for _ in 0..20 {
        step(&mut link, 0);
    }
    link.answer(1, 0);
    link.answer(1, 17);
    let late = mem::take(&mut link.flying);
    // More than any field of bits for the difference would have held.
    for _ in 0..1700 {
        step(&mut link, 0);
    }
    for packet in late {
        link.arrive(packet);
    }
    assert_eq!(link.answered, 2);
}

#[test]
fn an_answer_to_the_newest_message_costs_little() {
    let mut link = Link::new(Profile::HOST);
    let mut len = 0;
    for _ in 0..40 {
        link.chat(0);
        let packet = link.flying.pop().expect("just sent");
        link.arrive(packet);
        link.acknowledge_all();
        link.answer(1, 0);
        let packet = link.flying.pop().expect("just sent");
        len = packet.octets.len();
        link.arrive(packet);
        link.acknowledge_all();
    }
    assert!(len <= 2, "{len} octets");
}

/// Three messages arrive, and the end that read them starts again.
fn forgotten() -> Link {
    let mut link = Link::new(Profile::HOST);
    for _ in 0..3 {
        link.chat(0);
        let packet = link.flying.pop().expect("just sent");
        link.arrive(packet);
    }
    link.ends[1] = end(Profile::HOST, "b");
    link
}

#[test]
fn what_an_earlier_run_read_is_not_counted_on() {
    let mut link = forgotten();
    link.ends[0].doubt(2);
    link.acknowledge_all();
    for _ in 0..20 {
        link.chat(0);
        let packet = link.flying.pop().expect("just sent");
        link.arrive(packet);
        link.acknowledge_all();
    }
    let (_, text) = link.heard[1].last().expect("heard");
    assert_eq!(text, "0-message-000022");
}

#[test]
fn a_packet_that_counts_on_what_was_forgotten_is_refused() {
    let mut link = forgotten();
    link.acknowledge_all();
    link.chat(0);
    let packet = link.flying.pop().expect("just sent");
    let (mut buffer, mut tape) = (vec![0; 4096], [Node::Close; 64]);
    let arena = &mut Arena::new(&mut buffer);
    let number = PacketNumber::new(packet.number);
    let read = link.ends[1].decode(number, &packet.octets, arena, &mut tape);
    assert_eq!(read.err(), Some(DecodeError::Unknown));
}
