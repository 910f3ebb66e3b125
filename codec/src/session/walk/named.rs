//! Ids that cross: what they share with the id in the same place of the template, then what is new. Refuses to guess
//! at the next one; a counter costs its last digits.

use super::{Job, Scribe, Walk};
use crate::alias::template::Trace;
use crate::structure::{flag, number};
use crate::value::Fault;
use crate::value::token::Token;
use crate::value::uuid::{self, Uuid};

const NEAR: u32 = 0x4e61_0001;
const SHARED: u32 = 0x4e61_0002;
const IS_UUID: u32 = 0x4e61_0003;

/// Octets of an id a template keeps.
const HEAD_MAX: usize = 20;
/// Fewer octets in common are chance.
const SHARED_MIN: usize = 3;

/// What follows the prefix of a value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tail<'a> {
    Token(Token<'a>),
    Uuid(Uuid),
}

/// How an id begins, as far as others may begin alike: a short one is kept whole, a long one up to what looks like
/// chance.
pub(super) fn head(id: &str) -> &str {
    let cut = match uuid_cut(id) {
        Some(cut) => cut,
        None if id.len() <= HEAD_MAX => id.len(),
        None => id.rfind(['-', '_', '.', ':', '/']).map_or(0, |at| at + 1),
    };
    if cut <= HEAD_MAX { &id[..cut] } else { "" }
}

/// Where the UUID at the end of an id begins.
fn uuid_cut(id: &str) -> Option<usize> {
    let cut = id.len().checked_sub(uuid::LEN)?;
    let tail = id.get(cut..)?;
    Uuid::parse(tail).map(|_| cut)
}

/// The prefix and the rest of an id, if it has a prefix worth it: one before a UUID, or one in common with `trace`.
pub(super) fn split<'a>(trace: Trace<'_>, id: &'a str) -> Option<(usize, Tail<'a>)> {
    if let Some(cut) = uuid_cut(id).filter(|cut| (1..=HEAD_MAX).contains(cut)) {
        return Uuid::parse(&id[cut..]).map(|uuid| (cut, Tail::Uuid(uuid)));
    }
    let Trace::Crossed(head) = trace else {
        return None;
    };
    let pairs = id.bytes().zip(head.bytes());
    let shared = pairs.take_while(|(one, other)| one == other).count();
    let token = Token::parse(id.get(shared..)?)?;
    (shared >= SHARED_MIN).then_some((shared, Tail::Token(token)))
}

impl<'w, 'a, D: Scribe> Walk<'w, 'a, D> {
    /// Codes a prefix and what follows it; `cut` is the length of the prefix to write.
    pub(super) fn named(
        &mut self,
        job: &Job<'w, 'a>,
        cut: usize,
        tail: Tail<'a>,
    ) -> Result<&'a str, Fault> {
        let contexts = &job.contexts;
        let given = job.given.map(|text| (&text[..cut], &text[cut..]));
        let prefix = match job.trace {
            Trace::Crossed(head) => {
                let near = given.is_some_and(|(prefix, _)| head.starts_with(prefix));
                if flag(self.d, contexts, NEAR, near) {
                    let shared = number(self.d, contexts, SHARED, cut as u64) as usize;
                    let prefix = head.get(..shared).ok_or(Fault::Malformed)?;
                    match given {
                        Some((prefix, _)) => prefix,
                        None => self.arena.keep(prefix)?,
                    }
                } else {
                    self.letters(job.at.place, given.map(|(prefix, _)| prefix))?
                }
            }
            _ => self.letters(job.at.place, given.map(|(prefix, _)| prefix))?,
        };
        let (is_uuid, uuid, token) = match tail {
            Tail::Uuid(uuid) => (true, uuid, Token::default()),
            Tail::Token(token) => (false, Uuid::default(), token),
        };
        let rest = if self.is_id_place(&job.at) && flag(self.d, contexts, IS_UUID, is_uuid) {
            let mut out = [0; uuid::LEN];
            let uuid = uuid.code(self.d, contexts);
            self.settle(given.map(|(_, rest)| rest), uuid.write(&mut out))?
        } else {
            self.tokens(contexts, token, given.map(|(_, rest)| rest))?
        };
        match job.given {
            Some(text) => Ok(text),
            None => self.join(&[prefix, rest]),
        }
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
        let cut = |head, id| split(Trace::Crossed(head), id).map(|(cut, _)| cut);
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
