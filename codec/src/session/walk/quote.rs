//! Bodies that were said before: the quotation a reply begins with is not sent again, nor the body of a message that
//! comes back under its id, from a room or an archive. Refuses to guess at quotations that are not the start of a body
//! both ends remember.

use super::{Job, Scribe, Walk};
use crate::alias::bodies::{self, Quoted};
use crate::alias::ids::IdRef;
use crate::structure::{Label, Room, flag, number};
use crate::value::Fault;

const WHOLE: Label = Label::new(Room::Quote, 1);
const LEN: Label = Label::new(Room::Quote, 2);
const ECHO: Label = Label::new(Room::Quote, 3);

/// Shortest body worth looking for.
const ECHO_MIN: usize = 3;

/// A quotation to write: the packet whose body it starts with, or is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quote<'a> {
    source: IdRef,
    echo: bool,
    len: usize,
    rest: &'a str,
}

impl<'w, 'a, D: Scribe> Walk<'w, 'a, D> {
    /// The quotation `text` begins with, of a body both ends remember.
    pub(super) fn find_quote(&self, text: &'a str) -> Option<Quote<'a>> {
        if !bodies::ARE_KEPT {
            return None;
        }
        if let Some(echo) = self.find_echo(text) {
            return Some(echo);
        }
        let quoted = Quoted::of(text)?;
        let memory = &self.memory;
        let own = bodies::find(memory.shelves.bodies(true), self.number, &quoted);
        let own = own.filter(|number| *number < self.number);
        let other = bodies::find(
            memory.shelves.bodies(false),
            memory.reader_latest(),
            &quoted,
        );
        let source = IdRef {
            own: own.is_some(),
            number: own.or(other)?,
            ordinal: 0,
        };
        Some(Quote {
            source,
            echo: false,
            len: quoted.len,
            rest: quoted.rest,
        })
    }

    /// The body of the packet whose id this stanza bears.
    fn find_echo(&self, text: &'a str) -> Option<Quote<'a>> {
        let memory = &self.memory;
        let (own, number) = self.referred.filter(|_| text.len() >= ECHO_MIN)?;
        let latest = if own {
            self.number
        } else {
            memory.reader_latest()
        };
        let same = bodies::is(memory.shelves.bodies(own), latest, number, text);
        same.then_some(Quote {
            source: IdRef {
                own,
                number,
                ordinal: 0,
            },
            echo: true,
            len: text.len(),
            rest: "",
        })
    }

    /// Codes a text that begins with a quotation.
    pub(super) fn quote(&mut self, job: &Job<'w, 'a>) -> &'a str {
        if !bodies::ARE_KEPT {
            return self.found(None, Fault::Unknown);
        }
        let quote = self.find_quote(job.given);
        let source = quote.map(|quote| quote.source).unwrap_or_default();
        let (own, packet) = self.referred_packet(job, source);
        let Some(body) = bodies::get(self.memory.shelves.bodies(own), packet) else {
            return self.found(None, Fault::Unknown);
        };
        let echo = quote.is_some_and(|quote| quote.echo);
        if flag(self.d, &job.contexts, ECHO, echo) {
            return self.settle(job.given, body.as_bytes());
        }
        let len = quote.map_or(0, |quote| quote.len);
        let len = if flag(self.d, &job.contexts, WHOLE, len == body.len()) {
            body.len()
        } else {
            number(self.d, &job.contexts, LEN, len as u32) as usize
        };
        let Some(quoted) = body.get(..len) else {
            return self.found(None, Fault::Malformed);
        };
        let rest = self.prose(quote.map_or("", |quote| quote.rest));
        if self.is_writing {
            return job.given;
        }
        let marked = bodies::write(quoted, self.arena.free()).unwrap_or(usize::MAX);
        let marked = self.kept("", marked);
        self.join("", &[marked.as_bytes(), rest.as_bytes()])
    }
}
