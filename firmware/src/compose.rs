//! Stanzas from forms: a form is a stanza in one line of text with holes, filled in with texts one after the other.
//! Refuses to format XML: the codec takes the tape as it is.
//!
//! A form is words with `|` between them:
//!
//! | word | means |
//! |---|---|
//! | `<name`, `<x:name` | opens an element, in the namespace opened last or that of the letter `x` in `NAMESPACES` |
//! | `>` | closes it; what is open at the end is closed there |
//! | `name=value` | an attribute, left out if the value is empty |
//! | `=value` | character data, left out likewise |
//! | `(`, `)` | takes a text, and leaves out what is between them if that is empty |
//! | `*` | what follows, once more while there are texts |
//!
//! A name or value is what it says, but `?` is a hole, which takes the next text; `.` is the text taken last, `!` the writer's
//! JID, and `:x` the namespace of the letter `x`. The first element begins with `from=!` and `to=?`, unsaid. A form that begins
//! with `|` is what is in the answer to an iq.

use longwire_codec::stanza::{Node, Stanza};

use crate::text::{Texts, cut};

/// A line for each letter and its namespace.
static NAMESPACES: &str = "\
a=jabber:client
r=urn:xmpp:receipts
x=jabber:x:data
c=http://jabber.org/protocol/commands
g=http://jabber.org/protocol/geoloc
p=http://jabber.org/protocol/pubsub
e=http://jabber.org/protocol/pubsub#event
i=http://jabber.org/protocol/disco#info
j=http://jabber.org/protocol/disco#items
q=urn:xmpp:ping
v=jabber:iq:version
d=http://jabber.org/protocol/xdata-validate
s=urn:ietf:params:xml:ns:xmpp-stanzas";

/// What an answer begins with.
const ANSWER: &str = "<iq|type=result|id=?";

/// A stanza being filled in.
struct Filling<'t, 'a> {
    from: &'a str,
    texts: Texts<'a>,
    /// The text taken last.
    last: &'a str,
    ns: &'a str,
    tape: &'t mut [Node<'a>],
    len: usize,
    depth: usize,
}

/// The stanza that `form` makes of `texts`, as [`crate::text::Text::item`] writes them; `None` if it does not fit the tape or is
/// none.
#[inline(never)]
pub fn compose<'t, 'a>(
    form: &'a str,
    from: &'a str,
    texts: &'a [u8],
    tape: &'t mut [Node<'a>],
) -> Option<Stanza<'t, 'a>> {
    let mut filling = Filling {
        from,
        texts: Texts(texts),
        last: "",
        ns: namespace(b'a'),
        tape,
        len: 0,
        depth: 0,
    };
    if form.as_bytes().first() == Some(&b'|') {
        filling.words(ANSWER)?;
    }
    filling.words(form)?;
    while filling.depth > 0 {
        filling.close()?;
    }
    let tape: &[_] = filling.tape.get(..filling.len)?;
    debug_assert!(tape.is_empty() || Stanza::new(tape).is_some(), "{form}");
    (!tape.is_empty()).then(|| Stanza::whole(tape))
}

impl<'a> Filling<'_, 'a> {
    fn words(&mut self, mut words: &'a str) -> Option<()> {
        let (mut again, mut skips) = ("", false);
        loop {
            if words.is_empty() {
                if again.is_empty() || self.texts.is_empty() {
                    return Some(());
                }
                words = again;
            }
            let (word, rest) = cut(words, b'|');
            words = rest;
            match word.as_bytes() {
                b")" => skips = false,
                _ if skips => {}
                b"(" => skips = self.value("?").is_empty(),
                b"*" => again = rest,
                b">" => self.close()?,
                [b'<', ..] => self.open(word.get(1..).unwrap_or_default())?,
                _ => {
                    let (name, value) = cut(word, b'=');
                    self.attr(name, value)?;
                }
            }
        }
    }

    fn open(&mut self, mut name: &'a str) -> Option<()> {
        if let [letter, b':', ..] = name.as_bytes() {
            self.ns = namespace(*letter);
            name = name.get(2..).unwrap_or_default();
        }
        let (ns, name) = (self.ns, self.value(name));
        self.push(Node::Open { ns, name })?;
        self.depth += 1;
        if self.len == 1 {
            self.attr("from", "!")?;
            self.attr("to", "?")?;
        }
        Some(())
    }

    fn attr(&mut self, name: &'a str, value: &'a str) -> Option<()> {
        let value = self.value(value);
        match (name, value) {
            (_, "") => Some(()),
            ("", text) => self.push(Node::Text(text)),
            _ => self.push(Node::Attr {
                ns: "",
                name,
                value,
            }),
        }
    }

    fn close(&mut self) -> Option<()> {
        self.depth = self.depth.checked_sub(1)?;
        self.push(Node::Close)
    }

    fn value(&mut self, word: &'a str) -> &'a str {
        match word.as_bytes() {
            b"?" => {
                self.last = self.texts.next();
                self.last
            }
            b"." => self.last,
            b"!" => self.from,
            [b':', letter] => namespace(*letter),
            _ => word,
        }
    }

    fn push(&mut self, node: Node<'a>) -> Option<()> {
        *self.tape.get_mut(self.len)? = node;
        self.len += 1;
        Some(())
    }
}

/// The namespace of a letter; none for no letter.
#[inline(never)]
pub(crate) fn namespace(wanted: u8) -> &'static str {
    let mut lines = NAMESPACES;
    loop {
        let (line, rest) = cut(lines, b'\n');
        if line.is_empty() || line.as_bytes().first() == Some(&wanted) {
            return line.get(2..).unwrap_or_default();
        }
        lines = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Text;

    const CHAT: &str = "<message|type=chat|id=?|<body|=?|>|<r:request";

    fn texts<'p>(place: &'p mut [u8], items: &[&str]) -> &'p [u8] {
        let mut text = Text::new(place);
        for item in items {
            text.item(item);
        }
        text.whole().expect("fits")
    }

    #[test]
    fn a_chat_asks_for_a_receipt() {
        let (mut place, mut tape) = ([0; 64], [Node::Close; 16]);
        let texts = texts(&mut place, &["romeo@base.example", "a1", "wind 12 kn"]);
        let stanza = compose(CHAT, "buoy@field.example", texts, &mut tape).expect("fits");
        assert_eq!(stanza.attr("to"), Some("romeo@base.example"));
        assert_eq!(stanza.attr("from"), Some("buoy@field.example"));
        assert_eq!(stanza.attr("id"), Some("a1"));
        let body = stanza
            .child(namespace(b'a'), "body")
            .map(|body| body.text());
        assert_eq!(body, Some("wind 12 kn"));
        assert!(stanza.child(namespace(b'r'), "request").is_some());
    }

    #[test]
    fn what_is_empty_is_left_out_and_what_comes_often_is_repeated() {
        const FORM: &str =
            "<iq|type=?|<x:x|*|<field|var=?|(|<d:validate|datatype=.|>|)|<x:value|=?|>|>";
        let (mut place, mut tape) = ([0; 64], [Node::Close; 30]);
        let items = ["a@b", "", "one", "xs:decimal", "1", "two", "", ""];
        let stanza = compose(FORM, "c@d", texts(&mut place, &items), &mut tape).expect("fits");
        assert_eq!(stanza.attr("type"), None);
        let form = stanza.child(namespace(b'x'), "x").expect("a form");
        let mut fields = form.children();
        let (one, two) = (fields.next().expect("one"), fields.next().expect("two"));
        assert!(
            one.is(namespace(b'x'), "field")
                && two.is(namespace(b'x'), "field")
                && fields.next().is_none()
        );
        assert_eq!((one.children().count(), two.children().count()), (2, 1));
        assert_eq!(
            one.child(namespace(b'x'), "value").map(|it| it.text()),
            Some("1")
        );
        assert_eq!(two.attr("var"), Some("two"));
    }

    #[test]
    fn what_does_not_fit_is_refused_whole() {
        let (mut place, mut tape) = ([0; 64], [Node::Close; 6]);
        let texts = texts(&mut place, &["c@d", "1", "hello"]);
        assert_eq!(compose(CHAT, "a@b", texts, &mut tape), None);
    }
}
