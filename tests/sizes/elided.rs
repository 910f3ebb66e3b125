//! What a packet need not carry: the structure every client writes alike, fallback texts, bodies the far end has; and
//! what it must: ciphertext, to the octet.

use longwire::xml::Element;
use longwire_codec::link::PacketNumber;
use longwire_codec::session::{Ids, Options, Profile, Session, What};
use longwire_codec::stanza::{Arena, Node, Stanza};
use longwire_dictionaries::V1_HOST;
use tests::dice::Dice;

const OPTIONS: Options = Options {
    ids: Ids::Preserve,
    again: false,
};

type End = Session<'static, Vec<u8>>;

/// Two ends that have met.
struct Pair {
    ends: [End; 2],
    sent: [u32; 2],
}

impl Pair {
    fn new() -> Self {
        let end = || {
            Session::new(
                &V1_HOST,
                Profile::HOST,
                vec![0; Profile::HOST.storage_len()],
            )
        };
        Self {
            ends: [end().expect("sized"), end().expect("sized")],
            sent: [0; 2],
        }
    }

    /// Sends a stanza, which must come out as it went in; returns what each value cost, in bits, and the structure.
    fn send(&mut self, from: usize, xml: &str) -> Cost {
        let element = Element::parse_stanza(xml.as_bytes()).expect("well-formed");
        let mut tape = Vec::new();
        element.tape(&mut tape);
        let stanza = Stanza::new(&tape).expect("balanced");
        let number = PacketNumber::new(self.sent[from]);
        self.sent[from] += 1;
        let mut cost = Cost::default();
        self.ends[from]
            .explain(number, stanza, OPTIONS, |what, spent| {
                cost.add(what, spent);
            })
            .expect("written");
        let mut packet = [0; 4096];
        let len = self.ends[from].encode(number, stanza, OPTIONS, &mut packet);
        let (mut strings, mut nodes) = ([0; 4096], [Node::Close; 256]);
        let mut arena = Arena::new(&mut strings);
        let read = self.ends[1 - from]
            .decode(
                number,
                &packet[..len.expect("fits")],
                &mut arena,
                &mut nodes,
            )
            .expect("read");
        let back = Element::from_stanza(read).expect("an element");
        assert_eq!(text_of(&back), text_of(&element));
        assert_eq!(sorted(&back.to_xml("")), sorted(&element.to_xml("")));
        self.ends[from].acknowledge(number);
        cost
    }
}

/// Attributes may come in another order.
fn sorted(xml: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = xml.split([' ', '>', '/']).collect();
    parts.sort_unstable();
    parts
}

fn text_of(message: &Element) -> Option<String> {
    let body = message.child("jabber:client", "body")?;
    Some(body.text())
}

#[derive(Default)]
struct Cost {
    structure: f64,
    values: Vec<(String, f64)>,
}

impl Cost {
    fn add(&mut self, what: What<'_>, spent: u64) {
        let bits = spent as f64 / 256.0;
        match what {
            What::Value("word" | "new id" | "same id" | "as before", _) => self.structure += bits,
            What::Value(_, value) => self.values.push((value.to_owned(), bits)),
            _ => self.structure += bits,
        }
    }

    /// Bits of the values that say `text`.
    fn of(&self, text: &str) -> f64 {
        let values = self.values.iter().filter(|(value, _)| value == text);
        values.map(|(_, bits)| bits).sum()
    }
}

fn chat(id: &str, body: &str, rest: &str) -> String {
    format!(
        "<message xmlns='jabber:client' from='romeo@field.example/Conversations.8aXk' to='juliet@base.example' \
         type='chat' id='{id}'><body>{body}</body>{rest}</message>"
    )
}

fn random_base64(dice: &mut Dice, octets: usize) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = octets * 8;
    let mut out = String::new();
    while bits > 0 {
        let taken = bits.min(6);
        out.push(char::from(LETTERS[dice.below(1 << taken) << (6 - taken)]));
        bits -= taken;
    }
    while !out.len().is_multiple_of(4) {
        out.push('=');
    }
    out
}

#[test]
fn ciphertext_costs_its_entropy_and_at_most_26_bits_a_token() {
    println!("seed 31");
    let mut dice = Dice::new(31);
    let mut pair = Pair::new();
    for round in 0..3 {
        let sizes = [76, 75, 77, 12, 45];
        let secrets = sizes.map(|size| random_base64(&mut dice, size));
        let [one, two, three, iv, payload] = &secrets;
        let encrypted = format!(
            "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1203475810'>\
             <key rid='71893412'>{one}</key>\
             <key rid='908123441'>{two}</key><key prekey='true' rid='1777123890'>{three}</key><iv>{iv}</iv></header>\
             <payload>{payload}</payload></encrypted><store xmlns='urn:xmpp:hints'/>\
             <encryption xmlns='urn:xmpp:eme:0' name='OMEMO' namespace='eu.siacs.conversations.axolotl'/>"
        );
        let fallback = "I sent you an OMEMO encrypted message but your client doesn\u{2019}t seem to support that. \
             Find more information on https://conversations.im/omemo";
        let id = format!("{round:08x}-5c1b-4a52-9d4e-6f1f0a7c2b11");
        let cost = pair.send(0, &chat(&id, fallback, &encrypted));
        let spent: f64 = secrets.iter().map(|secret| cost.of(secret)).sum();
        let entropy = sizes.iter().sum::<usize>() as f64 * 8.0;
        println!(
            "{spent:.0} bits for {entropy} of ciphertext, structure {:.1}",
            cost.structure
        );
        assert!(spent > entropy - 40.0, "{spent} of {entropy}");
        assert!(spent < entropy + 26.0 * 5.0, "{spent} of {entropy}");
        assert_eq!(cost.of(fallback), 0.0, "a word of the dictionary");
    }
}

#[test]
fn the_structure_of_a_common_client_takes_ten_bits_once_it_was_seen() {
    let mut pair = Pair::new();
    let mut say = |id: &str, body: &str| {
        // As Conversations writes it.
        let xml = format!(
            "<message xmlns='jabber:client' from='romeo@field.example/Conversations.8aXk' to='juliet@base.example' \
             type='chat' id='{id}'><markable xmlns='urn:xmpp:chat-markers:0'/><request xmlns='urn:xmpp:receipts'/>\
             <origin-id xmlns='urn:xmpp:sid:0' id='{id}'/><body>{body}</body>\
             <active xmlns='http://jabber.org/protocol/chatstates'/></message>"
        );
        let cost = pair.send(0, &xml);
        println!("{:.1} bits", cost.structure);
        cost.structure
    };
    let alone = say(
        "0a488592-d7ca-4d6e-b047-c94ad9302cf8",
        "see you at the pier",
    );
    assert!(alone <= 27.0, "{alone:.1} bits");
    let next = say("7c418592-d7ca-4d6e-b047-c94ad9302cf8", "and bring a rope");
    assert!(next <= 10.0, "{next:.1} bits");
}

#[test]
fn fallbacks_of_replies_and_reactions_are_rebuilt() {
    let mut pair = Pair::new();
    let said = "the generator needs oil again before the night";
    pair.send(0, &chat("11111111-5c1b-4a52-9d4e-6f1f0a7c2b11", said, ""));
    let reply = |id: &str, body: &str, of: &str| {
        chat(
            id,
            body,
            &format!(
                "{of}<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='49'/></fallback>"
            ),
        )
    };
    let quoted = format!("&gt; {said}\nwill do");
    let of = "<reply xmlns='urn:xmpp:reply:0' to='romeo@field.example' id='11111111-5c1b-4a52-9d4e-6f1f0a7c2b11'/>";
    let cost = pair.send(
        1,
        &reply("22222222-5c1b-4a52-9d4e-6f1f0a7c2b11", &quoted, of),
    );
    let bits = cost.of(&quoted.replace("&gt;", ">"));
    println!("reply: {bits:.1} bits");
    assert!(bits < 60.0, "{bits:.1} bits");
    let quoted = format!("&gt; {said}\n\u{1f44d}");
    let of = "<reactions xmlns='urn:xmpp:reactions:0' id='11111111-5c1b-4a52-9d4e-6f1f0a7c2b11'>\
         <reaction>\u{1f44d}</reaction></reactions>";
    let cost = pair.send(
        0,
        &reply("33333333-5c1b-4a52-9d4e-6f1f0a7c2b11", &quoted, of),
    );
    let bits = cost.of(&quoted.replace("&gt;", ">"));
    println!("reaction: {bits:.1} bits");
    assert!(bits < 80.0, "{bits:.1} bits");
}

#[test]
fn a_body_that_comes_back_under_its_id_is_not_sent_again() {
    let mut pair = Pair::new();
    let id = "44444444-5c1b-4a52-9d4e-6f1f0a7c2b11";
    let body = "four of us leave at dawn, two stay with the boat";
    let sent = chat(id, body, "");
    let told = pair.send(0, &sent).of(body);
    // From a room, or out of an archive, in either direction.
    for from in [1, 0] {
        let cost = pair.send(from, &sent);
        println!("{told:.1} bits, then {:.1}", cost.of(body));
        assert!(
            cost.of(body) < 24.0,
            "{:.1} of {told:.1} bits",
            cost.of(body)
        );
    }
}
