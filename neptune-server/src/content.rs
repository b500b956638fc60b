//! How a browser may treat the bytes that somebody logged.
//!
//! Only images are shown, and only as what their first bytes are; anything else is saved to a file, but for HTML where a page is
//! asked for. So nothing that was logged runs as a page of this server.

use std::fmt::Write as _;

use axum::http::{HeaderValue, header, header::HeaderName};

/// An image of lines is a document, which may hold scripts and ask for more: here it does neither.
const DRAWING_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";

/// A page that was logged: what it says and how that looks, and nothing that it does. It is shown within pages of this server.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; \
                           form-action 'none'; frame-ancestors 'self'; sandbox";

/// The most characters of the name that a file is saved under; file systems have 255 bytes.
const MOST_CHARACTERS: usize = 120;

/// What bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An image of this type, which every browser shows.
    Image(&'static str),
    /// An image of lines (SVG).
    Drawing,
    /// HTML to look at.
    Page,
    /// The beginning of anything, as text.
    Text,
    /// Anything else.
    Bytes,
}

impl Kind {
    /// What begins with `beginning` and is called `name`.
    pub(crate) fn of(beginning: &[u8], name: &str) -> Self {
        const IMAGES: [(&[u8], &str); 4] = [
            (b"\x89PNG\r\n\x1a\n", "image/png"),
            (b"\xff\xd8\xff", "image/jpeg"),
            (b"GIF87a", "image/gif"),
            (b"GIF89a", "image/gif"),
        ];
        if let Some((_, kind)) = IMAGES.iter().find(|(magic, _)| beginning.starts_with(magic)) {
            return Self::Image(kind);
        }
        if beginning.starts_with(b"RIFF") && beginning.get(8..12) == Some(b"WEBP") {
            return Self::Image("image/webp");
        }
        if ends_with(name, "svg") { Self::Drawing } else { Self::Bytes }
    }

    /// Whether what is called `name` is HTML.
    pub(crate) fn is_page(name: &str) -> bool {
        ends_with(name, "html") || ends_with(name, "htm")
    }

    /// What it may do, where that is less than a page of this server may.
    fn policy(self) -> Option<&'static str> {
        match self {
            Self::Drawing => Some(DRAWING_POLICY),
            Self::Page => Some(PAGE_POLICY),
            Self::Image(_) | Self::Text | Self::Bytes => None,
        }
    }

    /// What is said of it to a browser, that saves it as `name`.
    pub(crate) fn headers(self, name: &str) -> Vec<(HeaderName, HeaderValue)> {
        let kind = match self {
            Self::Image(kind) => kind,
            Self::Drawing => "image/svg+xml",
            Self::Page => "text/html; charset=utf-8",
            Self::Text => "text/plain; charset=utf-8",
            Self::Bytes => "application/octet-stream",
        };
        let how = if self == Self::Bytes { "attachment" } else { "inline" };
        let mut headers = vec![(header::CONTENT_TYPE, HeaderValue::from_static(kind))];
        headers.push((header::CONTENT_DISPOSITION, disposition(how, name)));
        if let Some(policy) = self.policy() {
            headers.push((header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)));
        }
        headers
    }
}

/// What of HTML a browser connects to elsewhere for before it looks at the policy of the page.
const CONNECTING: [&str; 6] = ["<link", "<meta", "<iframe", "<frame", "<object", "<embed"];

/// HTML without what may connect to elsewhere though a policy forbids it.
pub(crate) fn without_links(html: &str) -> String {
    let small = html.to_ascii_lowercase();
    let mut quiet = String::with_capacity(html.len());
    let mut from = 0;
    for (at, _) in small.match_indices('<') {
        if CONNECTING.iter().any(|tag| small[at..].starts_with(tag)) {
            quiet.push_str(&html[from..=at]);
            quiet.push_str("no-");
            from = at + 1;
        }
    }
    quiet.push_str(&html[from..]);
    quiet
}

fn ends_with(name: &str, ending: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, found)| found.eq_ignore_ascii_case(ending))
}

/// `inline` or `attachment` with a name to save under: for all in ASCII, and as it is for those that know RFC 8187.
pub(crate) fn disposition(how: &str, name: &str) -> HeaderValue {
    let name = safe_name(name);
    let plain: String = name.chars().map(|one| if one.is_ascii() { one } else { '_' }).collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a text can be written to");
        }
    }
    let value = format!("{how}; filename=\"{plain}\"; filename*=UTF-8''{encoded}");
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("attachment"))
}

/// A name for a file in any folder: without what means something to a header, a shell or a file system, and without what
/// shows it as another one, as signs that turn the direction of reading do.
fn safe_name(name: &str) -> String {
    let is_safe = |one: char| {
        one.is_alphanumeric() || (one.is_ascii_graphic() && !"\"\\/:*?<>|%;'`$&".contains(one)) || one == ' '
    };
    let safe: String = name.chars().map(|one| if is_safe(one) { one } else { '_' }).collect();
    let safe = safe.trim_matches([' ', '.']);
    let count = safe.chars().count();
    if count <= MOST_CHARACTERS {
        return if safe.is_empty() { "file".to_owned() } else { safe.to_owned() };
    }
    // The ending says what it is.
    let end: String = safe.chars().skip(count - MOST_CHARACTERS / 4).collect();
    safe.chars().take(MOST_CHARACTERS - MOST_CHARACTERS / 4).chain(end.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_an_image_by_what_they_are_and_not_by_their_name() {
        assert_eq!(Kind::of(b"\x89PNG\r\n\x1a\n...", "a.html"), Kind::Image("image/png"));
        assert_eq!(Kind::of(b"RIFF\0\0\0\0WEBPVP8 ", "a"), Kind::Image("image/webp"));
        assert_eq!(Kind::of(b"\xff\xd8\xff\xe0", ""), Kind::Image("image/jpeg"));
        assert_eq!(Kind::of(b"<html><script>", "a.png"), Kind::Bytes);
        assert_eq!(Kind::of(b"<svg onload=x>", "a.SVG"), Kind::Drawing);
        assert_eq!(Kind::of(b"<svg onload=x>", "svg"), Kind::Bytes);
    }

    #[test]
    fn a_page_links_to_no_file() {
        let page = "\u{fffd}<p>a <LiNk rel=preconnect><\n<<link/><l\u{130}nk><Meta x><iframe></iframe></p>";
        assert_eq!(
            without_links(page),
            "\u{fffd}<p>a <no-LiNk rel=preconnect><\n<<no-link/><l\u{130}nk><no-Meta x><no-iframe></iframe></p>"
        );
    }

    #[test]
    fn a_name_stays_within_its_header() {
        let told = |name: &str| disposition("attachment", name).to_str().unwrap().to_owned();
        assert_eq!(told("a b.txt"), "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt");
        assert_eq!(told("\u{e4}.txt"), "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%A4.txt");
        assert_eq!(told("a\"; filename=evil.exe\r\nX: y"), {
            "attachment; filename=\"a__ filename=evil.exe__X_ y\"; filename*=UTF-8''a__%20filename%3Devil.exe__X_%20y"
        });
        assert!(told("../../.ssh/authorized_keys").starts_with("attachment; filename=\"_.._.ssh_authorized_keys\""));
        assert!(told("").contains("filename=\"file\""));
        assert!(!told("exe.\u{202e}gpj").contains("%E2%80%AE"));
        let long = told(&format!("{}.tar.gz", "\u{1f600}x".repeat(10_000)));
        assert!(long.len() < 2_000 && long.contains(".tar.gz\""), "{long}");
    }
}
