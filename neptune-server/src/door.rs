//! Who may come in, and what every answer says to the browser.
//!
//! A page of another site that is open in the same browser can send requests to this machine. It is kept out twice: a request
//! must be for a name of this machine (a foreign name that was pointed here is refused), and one that comes from a page must
//! come from a page of this server.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use crate::api::Problem;

/// Nothing from outside is loaded, nor can a frame go there, nothing inline is run, and nobody frames a page.
const POLICY: &str = "default-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
                      object-src 'none'";

/// What somebody reads who came by another name, as through a proxy.
const NOT_THIS_MACHINE: &str = "this server answers only to localhost and the addresses of this machine alone: open it as \
                                http://localhost with its port, or start it with --host and NEPTUNE_UI_TOKEN";

const ANOTHER_SITE: &str = "the request comes from a page of another site: open the page of this server itself";

/// What is asked of who comes in.
pub(crate) struct Door {
    token: Option<String>,
    /// The cookie that a browser keeps the token in. Cookies are shared by all servers of a machine, so its name has the port.
    cookie: String,
    is_local: bool,
}

impl Door {
    pub(crate) fn new(token: Option<String>, address: SocketAddr) -> Self {
        let cookie = format!("neptune_token_{}", address.port());
        Self { token, cookie, is_local: address.ip().to_canonical().is_loopback() }
    }

    /// Why a request is refused, or `None` when it may pass.
    fn refusal(&self, uri: &Uri, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = match (hosts.next(), hosts.next()) {
            (Some(host), None) => host.to_str().ok(),
            (None, _) => uri.authority().map(Authority::as_str),
            _ => None,
        };
        let Some(host) = host else {
            return Some((StatusCode::BAD_REQUEST, "the request must name one host, in one `Host` header"));
        };
        if self.is_local && !is_this_machine(host) {
            return Some((StatusCode::FORBIDDEN, NOT_THIS_MACHINE));
        }
        if is_of_another_site(host, headers) {
            return Some((StatusCode::FORBIDDEN, ANOTHER_SITE));
        }
        let token = self.token.as_deref()?;
        if self.given(headers).is_some_and(|given| is_same(given, token)) {
            return None;
        }
        Some((StatusCode::UNAUTHORIZED, "a token is needed: open /?token=TOKEN, or send `Authorization: Bearer TOKEN`"))
    }

    /// The token that a request brings.
    fn given<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        if let Some(bearer) = text(headers, header::AUTHORIZATION).and_then(|it| it.strip_prefix("Bearer ")) {
            return Some(bearer);
        }
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
        let mut cookies = cookies.flat_map(|cookies| cookies.split(';')).map(str::trim);
        cookies.find_map(|cookie| cookie.strip_prefix(&*self.cookie)?.strip_prefix('='))
    }

    /// Where a browser goes on that brought the token in the address, with the cookie that it keeps instead.
    fn welcome(&self, method: &Method, uri: &Uri) -> Option<Response> {
        let token = self.token.as_deref()?;
        let query = uri.query().filter(|_| method == Method::GET && uri.path() == "/")?;
        let brought = query.split('&').find_map(|pair| pair.strip_prefix("token="))?;
        if !is_same(&unescaped(brought), token) {
            return None;
        }
        let cookie = format!("{}={token}; Path=/; HttpOnly; SameSite=Strict", self.cookie);
        let headers = [
            (header::SET_COOKIE, cookie),
            (header::LOCATION, "/".to_owned()),
            (header::CACHE_CONTROL, "no-store".to_owned()),
        ];
        Some((StatusCode::SEE_OTHER, headers).into_response())
    }
}

/// The middleware around everything.
pub(crate) async fn pass(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let mut response = match door.welcome(request.method(), request.uri()) {
        Some(welcome) => welcome,
        None => match door.refusal(request.uri(), request.headers()) {
            Some((status, why)) => Problem::new(status, why).into_response(),
            None => next.run(request).await,
        },
    };
    let headers = response.headers_mut();
    // A file that was logged brings a stricter one.
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    response
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Whether a page of another site, or of another server of this machine, sent the request. Somebody who follows a link there
/// may come in.
fn is_of_another_site(host: &str, headers: &HeaderMap) -> bool {
    if let Some(origin) = headers.get(header::ORIGIN) {
        let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
        return origin.is_none_or(|(_, from)| !from.eq_ignore_ascii_case(host));
    }
    // What is loaded into a page, as an image is, has no origin. Browsers say this of it instead.
    let is_foreign = matches!(text(headers, FETCH_SITE), Some("cross-site" | "same-site"));
    is_foreign && text(headers, FETCH_MODE) != Some("navigate")
}

const FETCH_SITE: header::HeaderName = header::HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: header::HeaderName = header::HeaderName::from_static("sec-fetch-mode");

/// Whether they are the same; the time that it takes does not tell how much of it is.
fn is_same(given: &str, token: &str) -> bool {
    given.len() == token.len() && given.bytes().zip(token.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// A part of an address with its `%` escapes taken back.
fn unescaped(part: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = part.as_bytes();
    while let [first, behind @ ..] = rest {
        let escaped = behind.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { behind.get(2..).unwrap_or_default() } else { behind };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether `host`, with or without a port, is a name of this machine alone: only those, and numbers, are not looked up anywhere.
fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    };
    let ip: Option<IpAddr> = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(v6) => v6.parse().ok().map(IpAddr::V6),
        None => name.parse().ok().map(IpAddr::V4),
    };
    name.eq_ignore_ascii_case("localhost") || ip.is_some_and(|ip| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    fn local() -> Door {
        Door::new(None, "127.0.0.1:1".parse().unwrap())
    }

    #[test]
    fn only_names_of_this_machine_are_answered() {
        let uri = Uri::from_static("/api/v1/projects");
        for host in [
            "localhost",
            "localhost:7460",
            "127.0.0.1:1",
            "127.9.9.9",
            "[::1]:80",
            "[::1]",
            "[0:0:0:0:0:0:0:1]:1",
            "[::ffff:127.0.0.1]:1",
            "LOCALHOST:1",
        ] {
            assert_eq!(local().refusal(&uri, &headers(&[(header::HOST, host)])), None, "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example:7460",
            "127.0.0.1.evil.example",
            "10.0.0.7:7460",
            "0.0.0.0:7460",
            "",
            ":7460",
            "[::2]:1",
            "[::1",
            "::1",
            "[127.0.0.1]",
            "127.0.0.1:80:80",
            "localhost:80.evil.example",
            "evil.example@localhost",
            "localhost.",
            "2130706433",
            "0x7f.1",
        ] {
            let refused = local().refusal(&uri, &headers(&[(header::HOST, host)]));
            assert_eq!(refused.map(|(status, _)| status), Some(StatusCode::FORBIDDEN), "{host}");
        }
        assert!(local().refusal(&uri, &HeaderMap::new()).is_some());
        let mut two = headers(&[(header::HOST, "localhost")]);
        two.append(header::HOST, HeaderValue::from_static("evil.example"));
        assert!(local().refusal(&uri, &two).is_some());
        // The address of a proxy is not believed when there is a host.
        let absolute = Uri::from_static("http://localhost/");
        assert!(local().refusal(&absolute, &headers(&[(header::HOST, "evil.example")])).is_some());
        assert!(local().refusal(&absolute, &HeaderMap::new()).is_none());
    }

    #[test]
    fn a_page_of_another_site_is_kept_out() {
        let uri = Uri::from_static("/");
        let host = (header::HOST, "localhost:7460");
        assert_eq!(local().refusal(&uri, &headers(&[host.clone(), (header::ORIGIN, "http://localhost:7460")])), None);
        for origin in ["http://evil.example", "null", "http://localhost:80", "http://127.0.0.1:7460"] {
            let refused = local().refusal(&uri, &headers(&[host.clone(), (header::ORIGIN, origin)]));
            assert_eq!(refused.map(|(status, _)| status), Some(StatusCode::FORBIDDEN), "{origin}");
        }
        let fetched = |site: &str, mode: &str| {
            local().refusal(&uri, &headers(&[host.clone(), (FETCH_SITE, site), (FETCH_MODE, mode)])).is_none()
        };
        assert!(fetched("same-origin", "cors") && fetched("none", "navigate") && fetched("cross-site", "navigate"));
        assert!(!fetched("cross-site", "no-cors") && !fetched("same-site", "no-cors"));
    }

    #[test]
    fn escapes_are_taken_back_where_they_are_some() {
        for (part, plain) in
            [("a%2Fb%2b", "a/b+"), ("%", "%"), ("%4", "%4"), ("%zz", "%zz"), ("%ff", "\u{fffd}"), ("", "")]
        {
            assert_eq!(unescaped(part), plain);
        }
    }

    #[test]
    fn a_token_is_asked_for_where_there_is_one() {
        const TOKEN: &str = "0123456789abcdef";
        let door = Door::new(Some(TOKEN.to_owned()), "0.0.0.0:1".parse().unwrap());
        let uri = Uri::from_static("/");
        let host = (header::HOST, "gpu7.example:7460");
        let of = |name: header::HeaderName, value: &str| door.refusal(&uri, &headers(&[host.clone(), (name, value)]));
        assert_eq!(of(header::AUTHORIZATION, &format!("Bearer {TOKEN}")), None);
        assert_eq!(of(header::COOKIE, &format!("a=b; neptune_token_1={TOKEN}")), None);
        for wrong in ["Bearer 0123456789abcdeg", "Bearer ", TOKEN, "Bearer 0123456789abcdef0"] {
            assert_eq!(
                of(header::AUTHORIZATION, wrong).map(|(status, _)| status),
                Some(StatusCode::UNAUTHORIZED),
                "{wrong}"
            );
        }
        assert!(of(header::COOKIE, &format!("neptune_token_11={TOKEN}")).is_some());
        assert!(door.refusal(&uri, &headers(&[host])).is_some());
        let welcome = |uri: &'static str| door.welcome(&Method::GET, &Uri::from_static(uri));
        let response = welcome("/?a=b&token=%30123456789abcdef").unwrap();
        assert!(response.headers()[header::SET_COOKIE].to_str().unwrap().contains("HttpOnly; SameSite=Strict"));
        assert!(
            welcome("/?token=0123456789abcdee").is_none()
                && welcome("/api/v1/projects?token=0123456789abcdef").is_none()
        );
    }
}
