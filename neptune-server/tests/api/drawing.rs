//! The page in which figures are drawn.

use std::io::Read as _;

use crate::run::Server;

const ADDRESS: &str = "/ui/drawing.html";

/// The length of plotly.js v3.0.1.
const PLOTLY: usize = 4_653_932;

#[test]
fn the_frame_of_figures_is_sent_once_and_may_ask_nobody() {
    let server = Server::new();
    let compressed = server.ask("GET", ADDRESS, &[("Accept-Encoding", "gzip, br")], "");
    assert_eq!((compressed.status, compressed.header("content-encoding")), (200, "gzip"));
    assert!((1 << 20..2 << 20).contains(&compressed.body.len()), "{}", compressed.body.len());
    let mut page = Vec::new();
    flate2::read::GzDecoder::new(&*compressed.body).read_to_end(&mut page).unwrap();
    assert!((PLOTLY..PLOTLY + 20_000).contains(&page.len()), "{}", page.len());
    let plain = server.ask("GET", ADDRESS, &[], "");
    assert!(plain.body == page && plain.header("content-encoding").is_empty());
    assert_eq!(plain.header("content-type"), "text/html; charset=utf-8");
    let policy = plain.header("content-security-policy");
    let begin = "default-src 'none'; script-src 'nonce-";
    let rest = policy.strip_prefix(begin).and_then(|rest| rest.split_once('\'')).map(|(_, rest)| rest);
    let rest = rest.unwrap_or_else(|| panic!("{policy}"));
    assert_eq!(
        rest,
        " 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; connect-src 'none'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-scripts"
    );
    assert_eq!(plain.header("cache-control"), "private, no-cache");
    assert_ne!(plain.header("etag"), compressed.header("etag"));
    let known = [("Accept-Encoding", "gzip"), ("If-None-Match", compressed.header("etag"))];
    let again = server.ask("GET", ADDRESS, &known, "");
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(again.header("content-security-policy"), policy);
    // The pages of people are not framed, and show frames of this server alone.
    let policy = server.ask("GET", "/", &[], "").header("content-security-policy").to_owned();
    assert!(policy.contains("frame-src 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
}
