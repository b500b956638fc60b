//! [`Pattern`]: which files of the code are meant: a path, a glob, or a regular expression.

use std::path::{Component, Path};

use regex_lite::Regex;

use crate::error::{Error, ErrorKind, Result};

/// What is meant by a name.
#[derive(Debug, Clone)]
pub(crate) enum Pattern {
    /// A file, or a folder with everything in it.
    Path(String),
    /// Every file whose path, with `/` between its names, matches.
    Matching(Regex),
}

impl Pattern {
    /// A path, or a glob where there is a `*`, a `?` or a `[` in it.
    pub(crate) fn named(name: &str) -> Result<Self> {
        let is_inside = |component: Component<'_>| !matches!(component, Component::ParentDir);
        if name.is_empty() || !Path::new(name).components().all(is_inside) {
            let message = format!(
                "sources {name:?} lie outside of the folder of the package; name what is in it, such as \"src\" or \"**/*.rs\""
            );
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        if !name.contains(['*', '?', '[']) {
            return Ok(Self::Path(name.to_owned()));
        }
        glob(name.strip_prefix("./").unwrap_or(name)).map(Self::Matching)
    }

    /// A regular expression that is to be found in the path.
    pub(crate) fn matching(expression: &str) -> Result<Self> {
        compiled(expression, expression).map(Self::Matching)
    }
}

/// What a whole path, with `/` between its names, must match to be one of a glob.
pub(crate) fn glob(glob: &str) -> Result<Regex> {
    let expression = expression_of(glob)
        .ok_or_else(|| Error::new(ErrorKind::Invalid, format!("the pattern {glob:?} has a [ without a ]")))?;
    compiled(&expression, glob)
}

fn compiled(expression: &str, shown: &str) -> Result<Regex> {
    Regex::new(expression)
        .map_err(|error| Error::new(ErrorKind::Invalid, format!("the pattern {shown:?} cannot be used")).because(error))
}

/// The regular expression of a glob. `None` when a bracket is not closed.
///
/// `*` is any part of a name, `**` any folders, `?` one character, `[a-z]` one of these and `[!a-z]` one of no such. A glob without a
/// slash is for names in the folder itself, as in a shell.
fn expression_of(glob: &str) -> Option<String> {
    let mut expression = "^".to_owned();
    let mut rest = glob;
    while let Some(character) = rest.chars().next() {
        let behind = rest.get(character.len_utf8()..).unwrap_or_default();
        rest = if let Some(behind) = rest.strip_prefix("**/") {
            expression.push_str("(?:[^/]+/)*");
            behind
        } else if let Some(behind) = rest.strip_prefix("**") {
            expression.push_str(".*");
            behind
        } else {
            match character {
                '*' => expression.push_str("[^/]*"),
                '?' => expression.push_str("[^/]"),
                '[' => {
                    let (class, behind) = behind.split_once(']')?;
                    let (not, class) = match class.strip_prefix(['!', '^']) {
                        Some(class) => ("^/", class),
                        None => ("", class),
                    };
                    let class = class.replace('\\', r"\\").replace('[', r"\[").replace('&', r"\&").replace('~', r"\~");
                    expression.extend(["[", not, &class, "]"]);
                    rest = behind;
                    continue;
                }
                other => expression.push_str(&regex_lite::escape(other.encode_utf8(&mut [0; 4]))),
            }
            behind
        };
    }
    expression.push('$');
    Some(expression)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_means_what_it_means_in_a_shell() {
        for (glob, fine, wrong) in [
            ("*.rs", &["a.rs", ".rs"][..], &["src/a.rs", "a.rs.bak", "a_rs"][..]),
            ("**/*.rs", &["a.rs", "src/a.rs", "src/b/a.rs"], &["a.rss", "src/a.toml"]),
            ("src/**", &["src/a", "src/b/c"], &["a", "src", "tests/src/a"]),
            ("src/**/mod.rs", &["src/mod.rs", "src/a/b/mod.rs"], &["src/a-mod.rs"]),
            ("configs/?[0-9].toml", &["configs/a1.toml"], &["configs/ab.toml", "configs/1.toml", "configs//1.toml"]),
            ("[!a]x", &["bx"], &["ax", "/x"]),
            ("a+(b)*", &["a+(b)c"], &["aab"]),
            ("./*.toml", &["Cargo.toml"], &["./Cargo.toml"]),
        ] {
            let Pattern::Matching(regex) = Pattern::named(glob).unwrap() else { panic!("{glob} is no glob") };
            for path in fine {
                assert!(regex.is_match(path), "{glob} does not match {path}");
            }
            for path in wrong {
                assert!(!regex.is_match(path), "{glob} matches {path}");
            }
        }
    }

    #[test]
    fn a_bad_pattern_is_invalid() {
        for name in ["../secret", "src/../../x", "", "a[bc", "a[]"] {
            assert_eq!(Pattern::named(name).unwrap_err().kind(), ErrorKind::Invalid, "{name}");
        }
        assert_eq!(Pattern::matching("(").unwrap_err().kind(), ErrorKind::Invalid);
        assert!(matches!(Pattern::named("src/train.rs"), Ok(Pattern::Path(_))));
    }
}
