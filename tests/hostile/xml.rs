//! XML that bombs, nests, swells or is no text at all: refused with its reason and within its limits.

use longwire::xml::{Element, Limits, XmlError};
use tests::dice::Dice;
use tests::hostile::{self, read_stream};

/// Rounds of the quick run; the fuzz targets go on for ever.
const ROUNDS: u64 = 20_000;

/// Well-formed beginnings for the mutations.
const SEEDS: &[&str] = &[
    "<message xmlns='jabber:client' to='juliet@capulet.example' type='chat' id='b4'>\
     <body>But soft! &lt;What&gt; light &amp; \u{1f31f}</body><active xmlns='http://jabber.org/protocol/chatstates'/></message>",
    "<iq xmlns='jabber:client' type='get' id='1'><query xmlns='http://jabber.org/protocol/disco#info' node='a&apos;b'/></iq>",
    "<presence xmlns='jabber:client' xml:lang='it'><show>dnd</show><x:c xmlns:x='urn:x' x:hash=\"sha-1\"/></presence>",
    "<a xmlns='urn:a'><![CDATA[<not/> a tag]]><b xmlns=''/>&#x41;&#66;</a>",
];

const OPENING: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' \
                       xmlns:stream='http://etherx.jabber.org/streams' id='1' from='a.example'>";

fn in_stream(stanza: &str) -> Result<Vec<Element>, String> {
    read_stream(
        format!("{OPENING}{stanza}</stream:stream>").as_bytes(),
        Limits::default(),
    )
}

#[test]
fn random_octets_are_refused_or_survive_a_round_trip() {
    let mut dice = Dice::new(1);
    for _ in 0..ROUNDS {
        let bytes = dice.bytes(200);
        hostile::xml(&bytes);
        hostile::stream(&bytes);
    }
}

#[test]
fn mutated_stanzas_are_refused_or_survive_a_round_trip() {
    let mut dice = Dice::new(2);
    for round in 0..ROUNDS {
        let mut bytes = SEEDS[round as usize % SEEDS.len()].as_bytes().to_vec();
        dice.mutate(&mut bytes);
        hostile::xml(&bytes);
        let mut whole = OPENING.as_bytes().to_vec();
        whole.extend(&bytes);
        hostile::stream(&whole);
    }
}

#[test]
fn entity_bombs_are_refused_unread() {
    let bomb = "<!DOCTYPE lolz [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>]><message>&b;</message>";
    assert!(
        matches!(Element::parse(bomb), Err(XmlError::Restricted(_))),
        "{:?}",
        Element::parse(bomb)
    );
    let error = in_stream(bomb).expect_err("a DTD inside a stream is refused");
    assert!(error.contains("not allowed"), "{error}");
    let own = Element::parse("<message>&b;</message>");
    assert!(own.is_err(), "an undeclared entity is refused");
}

#[test]
fn comments_and_instructions_are_refused() {
    for xml in ["<a><!-- hidden --></a>", "<a><?php evil ?></a>"] {
        assert!(
            matches!(Element::parse(xml), Err(XmlError::Restricted(_))),
            "{xml}"
        );
    }
}

#[test]
fn ten_megabytes_are_refused_at_the_limit() {
    let big = format!("<message><body>{}</body></message>", "x".repeat(10 << 20));
    let limit = Limits::default().size;
    assert_eq!(Element::parse(&big), Err(XmlError::TooLarge(limit)));
    let error = in_stream(&big).expect_err("refused in a stream");
    assert_eq!(error, XmlError::TooLarge(limit).to_string());
}

/// A reader that counts how much of an endless stanza is taken before it is refused.
struct Endless {
    opening: &'static [u8],
    taken: usize,
}

impl tokio::io::AsyncRead for Endless {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        let count = if self.opening.is_empty() {
            let room = buffer.remaining();
            buffer.put_slice(&vec![b'x'; room]);
            room
        } else {
            let count = self.opening.len().min(buffer.remaining());
            let (now, later) = self.opening.split_at(count);
            buffer.put_slice(now);
            self.opening = later;
            count
        };
        self.taken += count;
        std::task::Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_stanza_without_end_takes_no_more_than_twice_the_limit() {
    let opening = b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'><message><body>";
    let mut endless = Endless { opening, taken: 0 };
    let limits = Limits::default();
    let mut reader = longwire::xml::StreamReader::new(&mut endless, limits);
    let _header = reader.next().await.expect("the header is good");
    let error = reader.next().await.expect_err("the stanza never ends");
    assert_eq!(
        error.to_string(),
        XmlError::TooLarge(limits.size).to_string()
    );
    drop(reader);
    let most = opening.len() + 2 * limits.size;
    assert!(endless.taken <= most, "{} octets taken", endless.taken);
}

#[test]
fn ten_thousand_levels_are_refused() {
    let deep = format!("{}{}", "<a>".repeat(10_000), "</a>".repeat(10_000));
    let depth = Limits::default().depth;
    assert_eq!(Element::parse(&deep), Err(XmlError::TooDeep(depth)));
    let error = in_stream(&format!("<message>{deep}</message>")).expect_err("refused in a stream");
    assert_eq!(error, XmlError::TooDeep(depth).to_string());
}

#[test]
fn a_hundred_thousand_attributes_are_refused() {
    let attributes: String = (0..10_000).map(|i| format!(" a{i}='x'")).collect();
    let element = Element::parse(format!("<a{attributes}/>"));
    assert!(
        matches!(element, Err(XmlError::TooManyAttributes(_))),
        "{element:?}"
    );
}

#[test]
fn bad_utf_8_is_refused() {
    for bad in [
        &b"\xff"[..],
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xe2\x82",
    ] {
        let xml = [b"<message><body>", bad, b"</body></message>"].concat();
        assert_eq!(Element::parse(&xml), Err(XmlError::Encoding), "{bad:x?}");
        let whole = [OPENING.as_bytes(), &xml].concat();
        assert!(read_stream(&whole, Limits::default()).is_err(), "{bad:x?}");
    }
}

#[test]
fn characters_xml_does_not_have_are_refused() {
    for bad in [
        "\u{0}",
        "\u{8}",
        "\u{fffe}",
        "&#0;",
        "&#x1F;",
        "&#xD800;",
        "&#99999999999;",
    ] {
        assert!(Element::parse(format!("<a>{bad}</a>")).is_err(), "{bad:?}");
    }
}
