//! Ids that cross: what they share with the id in the same place of the template, then what is new. Refuses to guess
//! at the next one; a counter costs its last digits.

use super::strings::after_last;
use super::{Job, Scribe, Walk};
use crate::alias::template::Trace;
use crate::structure::{Label, Room, flag, number};
use crate::value::token::Token;
use crate::value::{Fault, uuid};

const NEAR: Label = Label::new(Room::Named, 1);
const SHARED: Label = Label::new(Room::Named, 2);
const IS_UUID: Label = Label::new(Room::Named, 3);

/// Octets of an id a template keeps.
const HEAD_MAX: usize = 20;
/// Fewer octets in common are chance.
const SHARED_MIN: usize = 3;

/// How an id begins, as far as others may begin alike: a short one is kept whole, a long one up to what looks like
/// chance.
pub(super) fn head(id: &str) -> &str {
    let cut = match uuid_cut(id) {
        Some(cut) => cut,
        None if id.len() <= HEAD_MAX => id.len(),
        None => after_last(id, b"-_.:/").unwrap_or(0),
    };
    id.get(..cut)
        .filter(|head| head.len() <= HEAD_MAX)
        .unwrap_or("")
}

/// Where the UUID at the end of an id begins.
fn uuid_cut(id: &str) -> Option<usize> {
    let cut = id.len().checked_sub(uuid::LEN)?;
    let tail = id.get(cut..)?;
    uuid::Form::of(tail).map(|_| cut)
}

/// Length of the prefix of an id that has one worth it: before a UUID, or in common with `trace`.
pub(super) fn cut(trace: Trace<'_>, id: &str) -> Option<u16> {
    if let Some(cut) = uuid_cut(id).filter(|cut| matches!(cut, 1..=HEAD_MAX)) {
        return Some(cut as u16);
    }
    let Trace::Crossed(head) = trace else {
        return None;
    };
    let mut shared = 0;
    for (one, other) in id.bytes().zip(head.bytes()) {
        if one != other {
            break;
        }
        shared += 1;
    }
    Token::parse(id.get(shared..)?)?;
    (shared >= SHARED_MIN).then_some(shared as u16)
}

impl<'w, 'a, D: Scribe> Walk<'w, 'a, D> {
    /// Codes a prefix and what follows it.
    pub(super) fn split(&mut self, job: &Job<'w, 'a>) -> &'a str {
        let contexts = &job.contexts;
        let cut = usize::from(job.number);
        let prefix = job.given.get(..cut).unwrap_or("");
        let rest = job.given.get(cut..).unwrap_or("");
        let near = |head: &str| head.starts_with(prefix);
        let start = match job.trace {
            Trace::Crossed(head) if flag(self.d, contexts, NEAR, near(head)) => {
                let len = number(self.d, contexts, SHARED, cut as u32) as usize;
                match head.get(..len) {
                    Some(shared) => self.settle(prefix, shared.as_bytes()),
                    None => self.found(None, Fault::Malformed),
                }
            }
            _ => self.letters(job.at.place, prefix),
        };
        let is_uuid = uuid::Form::of(rest).is_some();
        let end = if job.at.hint.is_id() && flag(self.d, contexts, IS_UUID, is_uuid) {
            self.uuid(contexts, rest)
        } else {
            self.tokens(contexts, rest)
        };
        self.join(job.given, &[start.as_bytes(), end.as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_what_comes_again() {
        for (id, expected) in [
            ("prof_3ae4a74f-4b69-4b3f-a211-66f53416eb88", "prof_"),
            ("3ae4a74f-4b69-4b3f-a211-66f53416eb88", ""),
            ("purple50f8358a", "purple50f8358a"),
            ("prof_disco_info_b5Ps5oOjteAF9oK", "prof_disco_info_"),
            ("-dgMJUCcNDRPZxajvW0xD2nj", "-"),
            ("a-name-that-is-too-long-for-it-1", ""),
        ] {
            assert_eq!(head(id), expected, "{id}");
        }
    }

    #[test]
    fn prefixes_end_where_chance_begins() {
        let cut = |head, id| cut(Trace::Crossed(head), id);
        assert_eq!(cut("purple50f8358a", "purple50f8358b"), Some(13));
        assert_eq!(
            cut("", "prof_3ae4a74f-4b69-4b3f-a211-66f53416eb88"),
            Some(5)
        );
        assert_eq!(cut("ab1", "ab2"), None);
        assert_eq!(cut("same", "same"), None);
        assert_eq!(cut("h\u{e9}llo", "h\u{e8}llo"), None);
    }
}
