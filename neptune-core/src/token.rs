//! [`ApiToken`]: who a session is, to a server.
//!
//! Invariant: the key is shown by nothing here: neither `Debug` nor `Display` nor an error has a byte of a token.

use std::{fmt, str::FromStr};

use serde::Deserialize;

use crate::error::{Error, ErrorKind};

/// The most bytes of a token that are looked at.
const MOST: usize = 16 << 10;

/// A token: base64 of a JSON document with `api_address`, `api_url` (optional) and `api_key`, as it is copied from a server.
///
/// It is shown without its key, and without a password in its address:
///
/// ```
/// let token: neptune_core::ApiToken = "eyJhcGlfYWRkcmVzcyI6Imh0dHBzOi8vYSIsImFwaV9rZXkiOiJzZWNyZXQifQ==".parse()?;
/// assert_eq!(token.api_address(), "https://a");
/// assert_eq!(token.to_string(), "a token for https://a");
/// assert!(!format!("{token:?}").contains("secret"));
/// # Ok::<(), neptune_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct ApiToken {
    #[serde(rename = "api_address")]
    address: String,
    #[serde(rename = "api_url", default)]
    url: Option<String>,
    #[serde(rename = "api_key")]
    key: String,
}

impl ApiToken {
    /// The address that people open.
    pub fn api_address(&self) -> &str {
        &self.address
    }

    /// The address that people open, without what else may stand in one: a password, or a key.
    fn shown_address(&self) -> String {
        let (scheme, rest) = self.address.split_once("://").unwrap_or_default();
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        format!("{scheme}://{host}")
    }

    /// The address that programs talk to; that of people when the token names none.
    pub fn api_url(&self) -> &str {
        self.url.as_deref().unwrap_or(&self.address)
    }
}

impl FromStr for ApiToken {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        // The cause is left out: it might show a part of the token.
        let wrong = |what: &str| {
            let message = format!("the API token cannot be used: {what}; copy it again, whole, from where you got it");
            Error::new(ErrorKind::Invalid, message)
        };
        if text.len() > MOST {
            return Err(wrong("it is too long"));
        }
        let bytes = decoded(text.trim()).ok_or_else(|| wrong("it is not base64"))?;
        let token: Self = serde_json::from_slice(&bytes)
            .map_err(|_error| wrong("it does not hold a JSON document with api_address and api_key"))?;
        let is_address = |address: &str| ["http://", "https://"].iter().any(|scheme| address.starts_with(scheme));
        if !is_address(&token.address) || !is_address(token.api_url()) {
            return Err(wrong("its address does not begin with http:// or https://"));
        }
        if token.key.is_empty() {
            return Err(wrong("its key is empty"));
        }
        Ok(token)
    }
}

impl fmt::Display for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a token for {}", self.shown_address())
    }
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiToken").field("api_address", &self.shown_address()).finish_non_exhaustive()
    }
}

/// What may hold a secret, as it was given; looked at when the session is opened.
#[derive(Clone)]
pub(crate) struct Unparsed(pub(crate) String);

impl fmt::Debug for Unparsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("...")
    }
}

/// Base64, standard or for addresses, with or without its padding.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0);
    for character in text.bytes() {
        let value = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap_or_default());
        }
    }
    // One character alone holds no byte.
    (count < 6).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_with_and_without_padding() {
        for (text, bytes) in [
            ("", &b""[..]),
            ("Zg==", b"f"),
            ("Zg", b"f"),
            ("Zm8=", b"fo"),
            ("Zm9v", b"foo"),
            ("Zm9vYmFy", b"foobar"),
            ("-_-_", &[0xfb, 0xff, 0xbf]),
            ("+/+/", &[0xfb, 0xff, 0xbf]),
        ] {
            assert_eq!(decoded(text).as_deref(), Some(bytes), "{text}");
        }
        for wrong in ["Z", "Zm9v!", "Zm 9v", "Zg==Zg", "\u{e9}"] {
            assert_eq!(decoded(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_shown_of_an_address_is_the_machine() {
        // {"api_address":"https://ada:secret@a.example:8080/secret?key=secret","api_key":"secret"}
        let text = "eyJhcGlfYWRkcmVzcyI6Imh0dHBzOi8vYWRhOnNlY3JldEBhLmV4YW1wbGU6ODA4MC9zZWNyZXQ/a2V5PXNlY3JldCIsImFwaV9rZXkiOiJzZWNyZXQifQ==";
        let token: ApiToken = text.parse().unwrap();
        assert_eq!(token.to_string(), "a token for https://a.example:8080");
        assert!(!format!("{token:?}").contains("secret"));
        assert!(token.api_address().contains("ada:secret"), "whoever asks for it gets it whole");
    }

    #[test]
    fn a_token_that_cannot_be_used_is_refused_without_being_shown() {
        // {"api_address":"ftp://a","api_key":"secret"}, {"api_key":"secret"}, {"api_address":"https://a","api_key":""}
        for (text, reason) in [
            ("secret!", "not base64"),
            ("c2VjcmV0", "JSON document"),
            ("eyJhcGlfa2V5Ijoic2VjcmV0In0=", "JSON document"),
            ("eyJhcGlfYWRkcmVzcyI6ImZ0cDovL2EiLCJhcGlfa2V5Ijoic2VjcmV0In0=", "begin with http"),
            ("eyJhcGlfYWRkcmVzcyI6Imh0dHBzOi8vYSIsImFwaV9rZXkiOiIifQ==", "key is empty"),
        ] {
            let error = text.parse::<ApiToken>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(reason) && !shown.contains("secret") && !shown.contains(text), "{shown}");
        }
        assert!("A".repeat(MOST + 1).parse::<ApiToken>().unwrap_err().to_string().contains("too long"));
    }
}
