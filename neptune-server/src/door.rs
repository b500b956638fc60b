//! Who may come in, and what every answer says to the browser.
//!
//! A page of another site that is open in the same browser can send requests to this machine. It is kept out twice: a request
//! must be for a name of this machine (a foreign name that was pointed here is refused), and one that comes from a page must
//! come from a page of this server.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

/// Nothing from outside is loaded, nothing inline is run, and nobody frames a page.
const POLICY: &str =
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

/// The cookie that a browser keeps the token in.
const COOKIE: &str = "neptune_token";

/// What is asked of who comes in.
pub(crate) struct Door {
    token: Option<String>,
    is_local: bool,
}

impl Door {
    pub(crate) fn new(token: Option<String>, address: SocketAddr) -> Self {
        Self { token, is_local: address.ip().is_loopback() }
    }

    /// Why a request is refused, or `None` when it may pass.
    fn refusal(&self, uri: &Uri, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
        let host = text(headers, header::HOST).or_else(|| uri.authority().map(Authority::as_str));
        let Some(host) = host else { return Some((StatusCode::BAD_REQUEST, "the request names no host")) };
        if self.is_local && !is_this_machine(host) {
            return Some((StatusCode::FORBIDDEN, "this server answers only to localhost"));
        }
        if let Some(origin) = text(headers, header::ORIGIN)
            && origin.split_once("://").is_none_or(|(_, from)| from != host)
        {
            return Some((StatusCode::FORBIDDEN, "the request comes from a page of another site"));
        }
        let token = self.token.as_deref()?;
        if given(headers).is_some_and(|given| is_same(given, token)) {
            return None;
        }
        Some((StatusCode::UNAUTHORIZED, "a token is needed: open /?token=TOKEN, or send `Authorization: Bearer TOKEN`"))
    }

    /// Where a browser goes on that brought the token in the address, with the cookie that it keeps instead.
    fn welcome(&self, method: &Method, uri: &Uri) -> Option<Response> {
        let token = self.token.as_deref()?;
        let query = uri.query().filter(|_| method == Method::GET && uri.path() == "/")?;
        let brought = query.split('&').find_map(|pair| pair.strip_prefix("token="))?;
        if !is_same(brought, token) {
            return None;
        }
        let cookie = format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict");
        Some(
            (StatusCode::SEE_OTHER, [(header::SET_COOKIE, cookie), (header::LOCATION, "/".to_owned())]).into_response(),
        )
    }
}

/// The middleware around everything.
pub(crate) async fn pass(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let mut response = match door.welcome(request.method(), request.uri()) {
        Some(welcome) => welcome,
        None => match door.refusal(request.uri(), request.headers()) {
            Some((status, why)) => (status, why).into_response(),
            None => next.run(request).await,
        },
    };
    let headers = response.headers_mut();
    // A file that was logged brings a stricter one.
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// The token that a request brings.
fn given(headers: &HeaderMap) -> Option<&str> {
    if let Some(bearer) = text(headers, header::AUTHORIZATION).and_then(|it| it.strip_prefix("Bearer ")) {
        return Some(bearer);
    }
    let cookies = text(headers, header::COOKIE)?;
    cookies.split("; ").find_map(|cookie| cookie.strip_prefix(COOKIE)?.strip_prefix('='))
}

/// Whether they are the same; the time that it takes does not tell how much of it is.
fn is_same(given: &str, token: &str) -> bool {
    given.len() == token.len() && given.bytes().zip(token.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// Whether `host`, with or without a port, is a name of this machine alone.
fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    };
    name.eq_ignore_ascii_case("localhost") || name == "127.0.0.1" || name == "[::1]"
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
        for host in ["localhost", "localhost:7460", "127.0.0.1:1", "[::1]:80", "LOCALHOST:1"] {
            assert_eq!(local().refusal(&uri, &headers(&[(header::HOST, host)])), None, "{host}");
        }
        for host in
            ["evil.example", "localhost.evil.example:7460", "127.0.0.1.evil.example", "10.0.0.7:7460", "", "[::2]:1"]
        {
            let refused = local().refusal(&uri, &headers(&[(header::HOST, host)]));
            assert_eq!(refused.map(|(status, _)| status), Some(StatusCode::FORBIDDEN), "{host}");
        }
        assert!(local().refusal(&uri, &HeaderMap::new()).is_some());
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
    }

    #[test]
    fn a_token_is_asked_for_where_there_is_one() {
        const TOKEN: &str = "0123456789abcdef";
        let door = Door::new(Some(TOKEN.to_owned()), "0.0.0.0:1".parse().unwrap());
        let uri = Uri::from_static("/");
        let host = (header::HOST, "gpu7.example:7460");
        let of = |name: header::HeaderName, value: &str| door.refusal(&uri, &headers(&[host.clone(), (name, value)]));
        assert_eq!(of(header::AUTHORIZATION, &format!("Bearer {TOKEN}")), None);
        assert_eq!(of(header::COOKIE, &format!("a=b; {COOKIE}={TOKEN}")), None);
        for wrong in ["Bearer 0123456789abcdeg", "Bearer ", TOKEN, "Bearer 0123456789abcdef0"] {
            assert_eq!(
                of(header::AUTHORIZATION, wrong).map(|(status, _)| status),
                Some(StatusCode::UNAUTHORIZED),
                "{wrong}"
            );
        }
        assert!(door.refusal(&uri, &headers(&[host])).is_some());
        let welcome = |uri: &'static str| door.welcome(&Method::GET, &Uri::from_static(uri));
        let response = welcome("/?token=0123456789abcdef").unwrap();
        assert!(response.headers()[header::SET_COOKIE].to_str().unwrap().contains("HttpOnly; SameSite=Strict"));
        assert!(
            welcome("/?token=0123456789abcdee").is_none()
                && welcome("/api/v1/projects?token=0123456789abcdef").is_none()
        );
    }
}
