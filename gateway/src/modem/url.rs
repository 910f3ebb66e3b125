//! `scheme:target?option=value&...`: which modem, where, and how. Refuses options nobody reads, so that a misspelt
//! one is not silently the default.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The schemes, as listed in [`super`].
pub const SCHEMES: [&str; 4] = ["serial", "kiss+serial", "kiss+tcp", "air"];

/// A URL that names no modem.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum UrlError {
    /// There is no `:`, or nothing after it.
    #[error("a modem is written scheme:target, such as serial:/dev/ttyUSB0?baud=9600")]
    Shape,
    /// No modem of this kind.
    #[error("no modem speaks `{scheme}:`{hint}")]
    Scheme {
        /// As written.
        scheme: String,
        /// ` (did you mean ...?)` or empty.
        hint: String,
    },
    /// This modem has no such option.
    #[error("`{name}` is no option of this modem{hint}")]
    Option {
        /// As written.
        name: String,
        /// ` (did you mean ...?)` or empty.
        hint: String,
    },
    /// The option does not take this value.
    #[error("`{name}={value}`: {wanted}")]
    Value {
        /// Option.
        name: String,
        /// As written.
        value: String,
        /// What it takes.
        wanted: &'static str,
    },
}

impl UrlError {
    pub(super) fn scheme(scheme: &str) -> Self {
        Self::Scheme {
            scheme: scheme.into(),
            hint: hint(scheme, &SCHEMES),
        }
    }

    pub(super) fn value(name: &str, value: impl fmt::Display, wanted: &'static str) -> Self {
        Self::Value {
            name: name.into(),
            value: value.to_string(),
            wanted,
        }
    }
}

/// A URL taken apart.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ModemUrl {
    /// Before the colon.
    pub scheme: String,
    /// Path, `host:port` or name.
    pub target: String,
    options: Vec<(String, String)>,
}

impl ModemUrl {
    /// Takes `url` apart; `//` before the target is optional.
    ///
    /// # Errors
    /// [`UrlError::Shape`].
    pub fn parse(url: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = url.split_once(':').ok_or(UrlError::Shape)?;
        let (target, query) = rest.split_once('?').unwrap_or((rest, ""));
        let target = target.strip_prefix("//").unwrap_or(target);
        if scheme.is_empty() || target.is_empty() {
            return Err(UrlError::Shape);
        }
        let options = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (name.to_owned(), value.to_owned())
            })
            .collect();
        Ok(Self {
            scheme: scheme.into(),
            target: target.into(),
            options,
        })
    }

    /// Refuses options other than `known`.
    ///
    /// # Errors
    /// [`UrlError::Option`] with the nearest known name.
    pub fn only(&self, known: &[&str]) -> Result<(), UrlError> {
        match self
            .options
            .iter()
            .find(|(name, _)| !known.contains(&name.as_str()))
        {
            Some((name, _)) => Err(UrlError::Option {
                name: name.clone(),
                hint: hint(name, known),
            }),
            None => Ok(()),
        }
    }

    /// The text of an option.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.options
            .iter()
            .find_map(|(it, value)| (it == name).then_some(value.as_str()))
    }

    /// An option as a number, or `default` where it is not given.
    ///
    /// # Errors
    /// [`UrlError::Value`].
    pub fn number<T: FromStr>(&self, name: &str, default: T) -> Result<T, UrlError> {
        match self.text(name) {
            None => Ok(default),
            Some(text) => text
                .parse()
                .map_err(|_| UrlError::value(name, text, "a number")),
        }
    }

    /// A duration option in milliseconds; a bare number is milliseconds, `2s` and `10m` are understood.
    ///
    /// # Errors
    /// [`UrlError::Value`].
    pub fn millis(&self, name: &str, default: u64) -> Result<u64, UrlError> {
        const WANTED: &str = "milliseconds, or a duration such as 2s";
        let Some(text) = self.text(name) else {
            return Ok(default);
        };
        let split = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let (digits, unit) = text.split_at(split);
        let factor = match unit {
            "" | "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(UrlError::value(name, text, WANTED)),
        };
        digits
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(factor))
            .ok_or_else(|| UrlError::value(name, text, WANTED))
    }
}

fn hint(wrong: &str, known: &[&str]) -> String {
    known
        .iter()
        .map(|it| (strsim::damerau_levenshtein(wrong, it), it))
        .min()
        .filter(|(distance, _)| *distance <= 2)
        .map_or_else(
            || format!(" (there are {})", known.join(", ")),
            |(_, it)| format!(" (did you mean `{it}`?)"),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_urls_apart() {
        let url = ModemUrl::parse("kiss+tcp://127.0.0.1:8001?port=2&delay=3s").unwrap();
        assert_eq!(
            (url.scheme.as_str(), url.target.as_str()),
            ("kiss+tcp", "127.0.0.1:8001")
        );
        assert_eq!(url.number("port", 0u8), Ok(2));
        assert_eq!(url.millis("delay", 0), Ok(3000));
        assert_eq!(url.number("absent", 7u8), Ok(7));
    }

    #[test]
    fn misspelt_options_are_refused_with_the_nearest() {
        let url = ModemUrl::parse("serial:/dev/null?boud=9600").unwrap();
        let said = url.only(&["baud", "crc"]).unwrap_err().to_string();
        assert!(said.contains("did you mean `baud`?"), "{said}");
    }

    #[test]
    fn shapeless_urls_are_refused() {
        for wrong in ["", "serial", "serial:", ":/dev/null", "serial:?baud=1"] {
            assert_eq!(ModemUrl::parse(wrong), Err(UrlError::Shape), "{wrong}");
        }
    }
}
