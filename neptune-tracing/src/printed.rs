//! Values that come as `Debug`, as text.

use std::fmt::{self, Write as _};

/// What a value prints. A string that prints itself in quotes, as `?` and `#[instrument]` have it do, is the string. A value
/// that fails to print leaves what it printed before.
pub(crate) fn text(value: &dyn fmt::Debug) -> String {
    let text = plain(value);
    unquoted(&text).unwrap_or(text)
}

/// What a value prints.
pub(crate) fn plain(value: &dyn fmt::Debug) -> String {
    let mut text = String::new();
    write!(text, "{value:?}").ok();
    text
}

/// What a value prints, for a message: its beginning.
pub(crate) fn beginning(value: &dyn fmt::Debug) -> String {
    const SHOWN: usize = 60;
    let text = text(value);
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("\"{}...\"", text.get(..end).unwrap_or_default()),
        None => format!("\"{text}\""),
    }
}

/// The string that prints as `text`; `None` when that is not one quoted string.
fn unquoted(text: &str) -> Option<String> {
    let inside = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut string = String::with_capacity(inside.len());
    let mut rest = inside.chars();
    while let Some(next) = rest.next() {
        string.push(match next {
            '"' => return None,
            '\\' => match rest.next()? {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '0' => '\0',
                'u' => {
                    let code = rest.as_str().strip_prefix('{')?.split_once('}')?.0;
                    let code = (code.len(), u32::from_str_radix(code, 16).ok()?);
                    rest = rest.as_str().get(code.0 + 2..)?.chars();
                    char::from_u32(code.1)?
                }
                other => other,
            },
            other => other,
        });
    }
    Some(string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_itself_however_it_is_printed() {
        for string in ["", "adam", "a \"b\" \\c\\ \n\t\r\0 \u{7f} \u{e9} \u{1f600}", "'single'"] {
            assert_eq!(text(&string), string);
            assert_eq!(text(&format_args!("{string}")), string);
        }
        assert_eq!(text(&["a", "b"]), "[\"a\", \"b\"]");
        assert_eq!(text(&format_args!("\"a\" and \"b\"")), "\"a\" and \"b\"");
    }

    struct Fails;

    impl fmt::Debug for Fails {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("half")?;
            Err(fmt::Error)
        }
    }

    #[test]
    fn a_value_that_cannot_be_printed_is_no_trouble() {
        assert_eq!(text(&Fails), "half");
        assert_eq!(beginning(&Fails), "\"half\"");
    }
}
