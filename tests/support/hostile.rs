//! What hostile octets are thrown at: one function per parser, the same for the fuzz targets and for the
//! quick run in the test suite. Each panics when a promise is broken, never because of what it is fed.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use longwire::xml::{Element, Limits, StreamEvent, StreamReader};

/// One element: refused with a reason, or accepted and then written so that it reads back equal.
pub fn xml(bytes: &[u8]) {
    let Ok(element) = Element::parse(bytes) else {
        return;
    };
    let written = element.to_xml("");
    match Element::parse(&written) {
        Ok(again) => assert_eq!(element, again, "written as {written}"),
        Err(error) => panic!("own output {written} is refused: {error}"),
    }
}

/// A whole stream: whatever is read ends in an event, an error or the end of input, in bounded steps.
pub fn stream(bytes: &[u8]) {
    let _ = read_stream(bytes, Limits::default());
}

/// Reads a stream to its end: the stanzas it held, or why it was refused.
pub fn read_stream(bytes: &[u8], limits: Limits) -> Result<Vec<Element>, String> {
    let mut reader = StreamReader::new(bytes, limits);
    let mut stanzas = Vec::new();
    loop {
        // A slice is always ready, so one poll is enough.
        let mut next = pin!(reader.next());
        let Poll::Ready(event) = next.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("reading from memory waits");
        };
        match event.map_err(|error| error.to_string())? {
            Some(StreamEvent::Element(stanza)) => stanzas.push(stanza),
            Some(StreamEvent::Open(_)) => {}
            Some(StreamEvent::Close) | None => return Ok(stanzas),
        }
    }
}
