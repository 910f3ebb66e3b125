//! What the XML layer accepts, gives back unchanged, and refuses.

use longwire_codec::stanza::Stanza;

use super::*;

fn same(xml: &str) -> Element {
    let element = Element::parse(xml).unwrap();
    let again = Element::parse(element.to_xml("")).unwrap();
    assert_eq!(element, again, "{xml}");
    element
}

#[test]
fn text_and_attributes_survive() {
    let e = same(
        "<m xmlns='jabber:client' a='&lt;&#10;&quot;x'>&amp;b&#13;\n<c xmlns='u'/><![CDATA[<>]]>&#x1F600;</m>",
    );
    assert_eq!(e.attr("a"), Some("<\n\"x"));
    assert_eq!(e.text(), "&b\r\n<>😀");
    same("<m xml:lang='de' xmlns:p='urn:p' p:q='1' xmlns:r='urn:r' r:q='2'><p:z/><p:y>t</p:y></m>");
    same(
        "<m xmlns='jabber:client'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'/></forwarded></m>",
    );
}

#[test]
fn streams_map_their_content_namespace() {
    let context = Context {
        default_ns: "jabber:component:accept".into(),
        prefixes: vec![("stream".into(), NS_STREAM.into())],
    };
    let xml = "<message to=\"a@b\"><body>hi</body><x xmlns=\"urn:x\"><message xmlns=\"jabber:client\"/></x></message>";
    let e = Element::parse_in(xml.as_bytes(), &context, &Limits::default()).unwrap();
    assert!(e.is(NS_CLIENT, "message") && e.child(NS_CLIENT, "body").is_some());
    assert_eq!(e.to_xml("jabber:component:accept"), xml);
    assert!(e.to_xml("").starts_with("<message xmlns=\"jabber:client\""));
    let error =
        Element::new(NS_STREAM, "error").with_child(Element::new(NS_STREAM_ERROR, "conflict"));
    let xml = error.to_xml(NS_CLIENT);
    assert!(xml.starts_with("<stream:error xmlns:stream="), "{xml}");
    assert_eq!(Element::parse(xml).unwrap(), error);
}

#[test]
fn the_tape_is_the_element() {
    let e = same("<iq xmlns='jabber:client' type='get' id='1'><q xmlns='u'>a<b/>c</q></iq>");
    let mut tape = Vec::new();
    e.tape(&mut tape);
    let stanza = Stanza::new(&tape).unwrap();
    assert_eq!(Element::from_stanza(stanza).unwrap(), e);
}

#[test]
fn refused_elements() {
    for (xml, condition) in [
        ("<a><!-- c --></a>", "restricted-xml"),
        ("<a><?pi x?></a>", "restricted-xml"),
        ("<!DOCTYPE a><a/>", "restricted-xml"),
        ("<a>&lol;</a>", "restricted-xml"),
        ("<a b='&lol;'/>", "restricted-xml"),
        ("<a>&#1;</a>", "not-well-formed"),
        ("<a b='&#0;'/>", "not-well-formed"),
        ("<a>\u{1}</a>", "not-well-formed"),
        ("<a b='1' b='2'/>", "not-well-formed"),
        ("<a b='<'/>", "not-well-formed"),
        ("<a></b>", "not-well-formed"),
        ("<a", "not-well-formed"),
        ("<a/><b/>", "not-well-formed"),
        ("", "not-well-formed"),
        ("x<a/>", "not-well-formed"),
        ("<p:a/>", "bad-namespace-prefix"),
        ("<1a/>", "not-well-formed"),
    ] {
        let error = Element::parse(xml).unwrap_err();
        assert_eq!(error.condition(), condition, "{xml}: {error}");
    }
    assert_eq!(
        Element::parse(b"<a>\xff</a>").unwrap_err(),
        XmlError::Encoding
    );
    let deep = "<a>".repeat(10_000) + &"</a>".repeat(10_000);
    assert_eq!(Element::parse(deep).unwrap_err(), XmlError::TooDeep(64));
    let large = format!("<a>{}</a>", "x".repeat(10_000_000));
    assert!(matches!(
        Element::parse(large).unwrap_err(),
        XmlError::TooLarge(_)
    ));
    let attrs: String = (0..100).map(|n| format!(" a{n}=''")).collect();
    let error = Element::parse(format!("<a{attrs}/>")).unwrap_err();
    assert_eq!(error, XmlError::TooManyAttributes(64));
}

const HEADER: &str = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='b' version='1.0'>";

/// Events of a stream that arrives `step` octets at a time, as text, up to the first error.
async fn events(input: &[u8], step: usize) -> Vec<String> {
    let (mut there, here) = tokio::io::duplex(step);
    let input = input.to_vec();
    let writer = tokio::spawn(async move {
        let _ = tokio::io::AsyncWriteExt::write_all(&mut there, &input).await;
    });
    let mut reader = StreamReader::new(here, Limits::default());
    let mut seen = Vec::new();
    loop {
        match reader.next().await {
            Ok(Some(StreamEvent::Open(h))) => {
                seen.push(format!("open {}", h.element.attr("to").unwrap_or("-")))
            }
            Ok(Some(StreamEvent::Element(e))) => seen.push(e.to_xml(NS_CLIENT)),
            Ok(Some(StreamEvent::Close)) => seen.push("close".into()),
            Ok(None) => break,
            Err(StreamError::Xml(error)) => {
                seen.push(error.condition().into());
                break;
            }
            Err(error) => panic!("{error}"),
        }
    }
    writer.abort();
    seen
}

#[tokio::test]
async fn streams_come_apart_at_any_boundary() {
    let text = format!(
        " \n<?xml version='1.0'?>\n{HEADER} <presence/>\n <message><body>a&gt;b<![CDATA[</x>]]]></body></message><iq a=\"/>\"/></stream:stream>"
    );
    let expected = [
        "open b",
        "<presence/>",
        "<message><body>a&gt;b&lt;/x&gt;]</body></message>",
        "<iq a=\"/&gt;\"/>",
        "close",
    ];
    for step in [1, 2, 3, 7, 4096] {
        let seen = events(text.as_bytes(), step).await;
        assert_eq!(seen, expected.map(str::to_owned), "{step}");
    }
}

#[tokio::test]
async fn hostile_streams_end_in_a_clear_error() {
    let bomb = "<!DOCTYPE l [<!ENTITY l 'lol'>]>";
    for (input, condition) in [
        (
            format!("<?xml version='1.0'?>{bomb}{HEADER}"),
            "restricted-xml",
        ),
        (
            format!("{HEADER}{}", "<a>".repeat(10_000)),
            "policy-violation",
        ),
        (
            format!("{HEADER}<a>{}</a>", "x".repeat(10_000_000)),
            "policy-violation",
        ),
        (
            format!("{HEADER}<a b='{}", "x".repeat(10_000_000)),
            "policy-violation",
        ),
        (
            format!("<stream:stream a='{}", "x".repeat(100_000)),
            "policy-violation",
        ),
        (format!("{HEADER}<a><!-- x --></a>"), "restricted-xml"),
        (format!("{HEADER}<?xml version='1.0'?>"), "restricted-xml"),
        (format!("{HEADER}text"), "not-well-formed"),
        (format!("{HEADER}<a></b>"), "not-well-formed"),
        ("GET / HTTP/1.1\r\n\r\n".into(), "not-well-formed"),
        ("<html>".into(), "not-well-formed"),
    ] {
        let seen = events(input.as_bytes(), 4096).await;
        assert_eq!(
            seen.last().map(String::as_str),
            Some(condition),
            "{}",
            &input[..input.len().min(200)]
        );
    }
    let mut bad = HEADER.as_bytes().to_vec();
    bad.extend_from_slice(b"<a>\xc3\x28</a>");
    assert_eq!(
        events(&bad, 4096).await.last().unwrap(),
        "unsupported-encoding"
    );
}
