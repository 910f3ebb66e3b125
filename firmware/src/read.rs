//! What an endpoint looks at in a stanza that came in. Refuses to act on it.

use longwire_codec::stanza::Stanza;

use crate::endpoint::Cause;

/// A stanza that came in.
pub(crate) struct Incoming<'t, 'a> {
    /// The packet that brought it.
    pub(crate) cause: Cause,
    pub(crate) stanza: Stanza<'t, 'a>,
    pub(crate) from: &'a str,
    /// Empty where there is none, like its type.
    pub(crate) id: &'a str,
    pub(crate) kind: &'a str,
}

impl<'t, 'a> Incoming<'t, 'a> {
    /// `None` if it does not say from whom it is.
    pub(crate) fn new(cause: Cause, stanza: Stanza<'t, 'a>) -> Option<Self> {
        Some(Self {
            cause,
            stanza,
            from: stanza.attr("from").filter(|from| !from.is_empty())?,
            id: stanza.attr("id").unwrap_or_default(),
            kind: stanza.attr("type").unwrap_or_default(),
        })
    }
}

/// First value of the field `var` of a submitted form (XEP-0004 section 3.2).
pub(crate) fn field<'a>(form: Stanza<'_, 'a>, var: &str) -> Option<&'a str> {
    let ns = form.name().0;
    for field in form.children() {
        if field.is(ns, "field") && field.attr("var") == Some(var) {
            return field.child(ns, "value").map(|value| value.text());
        }
    }
    None
}
