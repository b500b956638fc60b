//! Who may come in, and what every answer says to a browser.

use neptune_server::Ui;

use crate::{
    http::{request, send},
    run::Server,
};

const TOKEN: &str = "0123456789abcdef";

#[test]
fn a_name_that_was_pointed_here_is_not_answered() {
    let server = Server::new();
    for host in
        ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example", "", "localhost."]
    {
        for (method, target) in [
            ("GET", "/"),
            ("GET", "/api/v1/projects"),
            ("POST", "/api/v1/experiments/latest/trash"),
            ("GET", "/ui/main.js"),
        ] {
            let answer = server.ask(method, target, &[("Host", host), ("Content-Type", "application/json")], "{}");
            assert!(answer.problem(403).contains("localhost"), "{host} {target}");
        }
    }
    for host in ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:7460", "127.0.0.2:80"] {
        assert_eq!(server.ask("GET", "/api/v1/projects", &[("Host", host)], "").status, 200, "{host}");
    }
}

#[test]
fn requests_that_no_browser_sends_are_refused_and_harm_nothing() {
    let server = Server::new();
    for (bytes, statuses) in [
        (&b"GET /api/v1/projects HTTP/1.0\r\n\r\n"[..], &[400][..]),
        (b"GET /api/v1/projects HTTP/1.1\r\nConnection: close\r\n\r\n", &[400]),
        (
            b"GET /api/v1/projects HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
            &[400],
        ),
        (b"GET /api/v1/projects HTTP/1.1\r\nConnection: close\r\nHost: \xff\r\n\r\n", &[400]),
        (b"GET http://localhost/api/v1/projects HTTP/1.1\r\nConnection: close\r\nHost: evil.example\r\n\r\n", &[403]),
        (b"GET http://evil.example/api/v1/projects HTTP/1.0\r\n\r\n", &[403]),
        (b"OPTIONS * HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\n\r\n", &[404, 405]),
        (b"BREW /api/v1/projects HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\n\r\n", &[405]),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", &[400]),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\nConnection: close\r\n\r\n", &[400]),
    ] {
        let answer = send(server.address, bytes);
        assert!(statuses.contains(&answer.status), "{}: {}", String::from_utf8_lossy(bytes), answer.status);
    }
    let headers = (0..200).map(|number| format!("X-{number}: a\r\n")).collect::<Vec<_>>().concat();
    assert_eq!(send(server.address, format!("GET / HTTP/1.1\r\n{headers}\r\n").as_bytes()).status, 431);
    assert_eq!(server.get(&format!("/{}", "a".repeat(70_000))).status, 414);
    assert_eq!(server.get("/projects").status, 200);
}

#[test]
fn a_page_of_another_site_changes_nothing_and_reads_nothing() {
    let server = Server::new();
    server.experiment().stop().unwrap();
    let target = "/api/v1/experiments/MNI-1/trash";
    let host = ("Host", "localhost:7460");
    let json = ("Content-Type", "application/json");
    for origin in ["http://evil.example", "null", "http://localhost:3000", "http://127.0.0.1:7460", "file://", ""] {
        let answer = server.ask("POST", target, &[host, json, ("Origin", origin)], "{}");
        assert!(answer.problem(403).contains("another site"), "{origin}");
        let asked =
            server.ask("OPTIONS", target, &[host, ("Origin", origin), ("Access-Control-Request-Method", "POST")], "");
        assert_eq!((asked.status, asked.header("access-control-allow-origin")), (403, ""), "{origin}");
    }
    // What a form or a script sends without asking first.
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""] {
        let answer = server.ask("POST", target, &[host, ("Content-Type", kind)], "{}");
        assert!(answer.problem(415).contains("application/json"), "{kind}");
    }
    let image = [host, ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors")];
    assert_eq!(server.ask("GET", "/api/v1/projects", &image, "").status, 403);
    let link = [host, ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate")];
    assert_eq!(server.ask("GET", "/", &link, "").status, 200);
    assert_eq!(server.json("/experiments/MNI-1")["is_trashed"], false);
    let own = [host, json, ("Origin", "http://localhost:7460"), ("Sec-Fetch-Site", "same-origin")];
    assert_eq!(server.ask("POST", target, &own, "{}").status, 204);
    assert_eq!(server.json("/experiments/MNI-1")["is_trashed"], true);
}

#[test]
fn every_answer_tells_the_browser_what_it_must_not_do() {
    let server = Server::new();
    server.experiment().stop().unwrap();
    for (method, target, host) in [
        ("GET", "/", "localhost"),
        ("GET", "/any/page?of=it", "localhost"),
        ("POST", "/", "localhost"),
        ("GET", "/ui/main.js", "localhost"),
        ("GET", "/ui/nothing", "localhost"),
        ("GET", "/api/v1/projects", "localhost"),
        ("GET", "/api/v1/experiments/latest", "localhost"),
        ("GET", "/api/v1/experiments/none", "localhost"),
        ("GET", "/api/v1/experiments/latest/zip?what=sources", "localhost"),
        ("GET", "/api/v1/nothing", "localhost"),
        ("DELETE", "/api/v1/projects", "localhost"),
        ("GET", "/", "evil.example"),
    ] {
        let answer = server.ask(method, target, &[("Host", host)], "");
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'self'") && policy.contains("frame-ancestors 'none'"),
            "{target}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{target}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{target}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{target}");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{target}");
    }
}

#[test]
fn a_token_is_asked_for_by_header_by_cookie_and_by_address() {
    let server = Server::with(|ui| ui.token(TOKEN));
    let cookie = format!("neptune_token_{}", server.address.port());
    let status = |headers: &[(&str, &str)]| server.ask("GET", "/api/v1/projects", headers, "").status;
    assert_eq!(status(&[]), 401);
    assert_eq!(status(&[("Authorization", &format!("Bearer {TOKEN}"))]), 200);
    assert_eq!(status(&[("Cookie", &format!("a=b; {cookie}={TOKEN}"))]), 200);
    assert_eq!(status(&[("Cookie", "a=b"), ("Cookie", &format!("{cookie}={TOKEN}"))]), 200);
    for wrong in ["", "x", "0123456789abcdeg", "0123456789abcdef0", "0123456789abcde"] {
        assert_eq!(status(&[("Authorization", &format!("Bearer {wrong}"))]), 401, "{wrong}");
        assert_eq!(status(&[("Cookie", &format!("{cookie}={wrong}"))]), 401, "{wrong}");
        assert_eq!(server.ask("GET", &format!("/?token={wrong}"), &[], "").status, 401, "{wrong}");
    }
    // A token that is right does not make up for the rest.
    assert_eq!(status(&[("Host", "evil.example"), ("Authorization", &format!("Bearer {TOKEN}"))]), 403);
    assert_eq!(server.ask("GET", &format!("/api/v1/projects?token={TOKEN}"), &[], "").status, 401);
    let welcome = server.ask("GET", &format!("/?token={TOKEN}"), &[], "");
    assert_eq!((welcome.status, welcome.header("location"), welcome.header("cache-control")), (303, "/", "no-store"));
    assert_eq!(welcome.header("set-cookie"), format!("{cookie}={TOKEN}; Path=/; HttpOnly; SameSite=Strict"));
    let message = server.get("/projects").problem(401);
    assert!(message.contains("/?token=TOKEN") && !message.contains(TOKEN), "{message}");
}

#[test]
fn it_listens_beyond_this_machine_only_with_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let ui = || Ui::new(folder.path());
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:7460", "[::ffff:192.0.2.1]:0"] {
        let refused = ui().bind(address.parse().unwrap()).unwrap_err().to_string();
        assert!(refused.contains("NEPTUNE_UI_TOKEN") && refused.contains("ssh -L"), "{refused}");
    }
    let too_short = ui().token("short").bind("127.0.0.1:0".parse().unwrap()).unwrap_err().to_string();
    assert!(too_short.contains("16"), "{too_short}");
    for odd in
        ["0123456789 abcdef", "0123456789abcde;", "0123456789abcde\"", "0123456789abcd\r\n", "0123456789abcd\u{e4}"]
    {
        assert!(ui().token(odd).bind("127.0.0.1:0".parse().unwrap()).is_err(), "{odd:?}");
    }
    let bound = ui().token(TOKEN).bind("0.0.0.0:0".parse().unwrap()).unwrap();
    assert!(bound.url().starts_with("http://127.0.0.1:"), "{}", bound.url());
    let address = format!("127.0.0.1:{}", bound.address().port()).parse().unwrap();
    std::thread::Builder::new().name("test:ui".into()).spawn(move || bound.serve()).unwrap();
    let status = |headers: &[(&str, &str)]| send(address, &request("GET", "/api/v1/projects", headers, "")).status;
    assert_eq!(status(&[("Host", "gpu7.example")]), 401);
    assert_eq!(status(&[("Host", "gpu7.example"), ("Authorization", &format!("Bearer {TOKEN}"))]), 200);
}

#[test]
fn a_browser_that_has_the_files_of_the_pages_is_sent_none_again() {
    let server = Server::new();
    let page = server.ask("GET", "/p/ada/mnist", &[], "").text();
    let module = page.split("modulepreload\" href=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let first = server.ask("GET", module, &[], "");
    assert_eq!((first.status, first.body.is_empty()), (200, false), "{module}");
    let again = server.ask("GET", module, &[("If-None-Match", first.header("etag"))], "");
    assert_eq!((again.status, again.body.is_empty()), (304, true));
    assert_eq!(again.header("etag"), first.header("etag"));
    assert_eq!(server.ask("GET", module, &[("If-None-Match", "\"other\"")], "").status, 200);
}

#[test]
fn what_is_no_page_is_answered_with_a_problem() {
    let server = Server::new();
    assert!(server.ask("GET", "/ui/nothing.js", &[], "").problem(404).contains("no such file"));
    for target in ["/", "/ui/main.js"] {
        let answer = server.ask("POST", target, &[("Content-Type", "application/json")], "{}");
        assert!(answer.problem(405).contains("POST"), "{target}");
        assert_eq!(answer.header("allow"), "GET, HEAD", "{target}");
    }
}
