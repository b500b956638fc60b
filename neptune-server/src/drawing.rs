//! The page in which plotly.js draws a figure that somebody logged: a frame within the page that shows it.
//!
//! A figure is somebody else's document, and plotly.js is a large program. So this page has an origin of its own, runs the two
//! scripts that are in it, and may ask nobody for anything. It is one document, because an origin of its own has no cookie to load
//! parts with.

use std::{
    io::{self, Write as _},
    sync::OnceLock,
};

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use flate2::{Compression, write::GzEncoder};
use plotly::Plot;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use crate::api::Problem;

/// Where the page is.
pub(crate) const ADDRESS: &str = "/ui/drawing.html";

/// The script that hands figures to plotly.js.
const DRAWING: &str = include_str!("../ui/drawing.js");

/// What stands around plotly.js in the HTML that the crate `plotly` writes.
const AROUND: (&str, &str) = ("<script type=\"text/javascript\">", "</script>");

const STYLE: &str = "html,body,#figure{margin:0;height:100%;overflow:hidden}#figure a{cursor:default}";

/// The page, once it was asked for.
static PAGE: OnceLock<Page> = OnceLock::new();

struct Page {
    /// What the scripts of the page are known by. Nothing that is logged can know it.
    nonce: String,
    compressed: Vec<u8>,
}

impl Page {
    fn new() -> io::Result<Self> {
        let nonce = Uuid::now_v7().simple().to_string();
        let mut compressed = GzEncoder::new(Vec::new(), Compression::default());
        compressed.write_all(html(&nonce).as_bytes())?;
        Ok(Self { nonce, compressed: compressed.finish()? })
    }

    /// Drawing lines of many points (WebGL) takes functions that plotly.js makes of its own text, which is `unsafe-eval`.
    fn policy(&self) -> String {
        format!(
            "default-src 'none'; script-src 'nonce-{}' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; \
             font-src data:; connect-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; \
             sandbox allow-scripts",
            self.nonce
        )
    }
}

/// plotly.js, as the crate `plotly` carries it.
fn plotly_js(sources: &str) -> &str {
    let (begin, end) = AROUND;
    let script = sources.split_once(begin).and_then(|(_, rest)| rest.split_once(end));
    script.map_or("", |(script, _)| script)
}

fn html(nonce: &str) -> String {
    let sources = Plot::offline_js_sources();
    let plotly = plotly_js(&sources);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>figure</title><style>{STYLE}</style></head>\n\
         <body><div id=\"figure\"></div>\n<script nonce=\"{nonce}\">{plotly}</script>\n\
         <script nonce=\"{nonce}\">{DRAWING}</script></body></html>\n"
    )
}

/// The page, compressed for whoever takes it so. It is another one when the program starts anew.
pub(crate) async fn frame(headers: HeaderMap) -> Result<Response, Problem> {
    let takes = |name: HeaderName, what: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains(what))
    };
    let is_compressed = takes(header::ACCEPT_ENCODING, "gzip");
    let made = spawn_blocking(move || {
        let page = if let Some(page) = PAGE.get() {
            page
        } else {
            let page = Page::new()?;
            PAGE.get_or_init(|| page)
        };
        Ok((page, (!is_compressed).then(|| html(&page.nonce))))
    });
    let made: io::Result<_> = made.await.map_err(|panicked| Problem::internal(panicked.to_string()))?;
    let (page, plain) = made.map_err(|error| Problem::internal(error.to_string()))?;
    let tag = format!("\"{}{}\"", page.nonce, if is_compressed { "-gzip" } else { "" });
    let is_known = takes(header::IF_NONE_MATCH, &tag);
    let mut response = match plain {
        _ if is_known => StatusCode::NOT_MODIFIED.into_response(),
        Some(plain) => plain.into_response(),
        None => ([(header::CONTENT_ENCODING, "gzip")], &*page.compressed).into_response(),
    };
    let described = response.headers_mut();
    for (name, value) in [(header::ETAG, tag), (header::CONTENT_SECURITY_POLICY, page.policy())] {
        let value = HeaderValue::from_str(&value).map_err(|error| Problem::internal(error.to_string()))?;
        described.insert(name, value);
    }
    described.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    described.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    described.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    // Nor does a link in a label have its name looked up.
    described.insert(header::X_DNS_PREFETCH_CONTROL, HeaderValue::from_static("off"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plotly_js_is_the_one_that_was_looked_at() {
        let sources = Plot::offline_js_sources();
        let script = plotly_js(&sources);
        assert_eq!(script.len(), 4_653_932, "another plotly.js: look at it, and try the figures");
        assert!(script.starts_with("/**\n* plotly.js v3.0.1\n"), "{}", &script[..200]);
        assert!(script[..1000].contains("Licensed under the MIT license"));
    }
}
