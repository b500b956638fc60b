//! Files, images and archives.

use std::{
    io::Read as _,
    net::TcpStream,
    time::{Duration, Instant},
};

use neptune_core::{Experiment, Image};
use neptune_store::objects;

use crate::{
    http::{escaped, request},
    run::Server,
};

/// An artifact with this content.
fn log(experiment: &Experiment, server: &Server, name: &str, content: &[u8]) {
    let source = server.folder().join("source");
    std::fs::write(&source, content).unwrap();
    experiment.log_artifact(&*source, Some(name)).unwrap();
}

fn file(server: &Server, query: &str) -> crate::http::Answer {
    server.get(&format!("/experiments/MNI-1/file?path={query}"))
}

#[test]
fn a_file_is_saved_byte_by_byte_and_is_not_sent_again() {
    let server = Server::new();
    let experiment = server.experiment();
    let content: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    log(&experiment, &server, "data/weights.bin", &content);
    experiment.stop().unwrap();
    let answer = file(&server, "artifacts/data/weights.bin");
    assert_eq!((answer.status, answer.body.len()), (200, content.len()));
    assert!(answer.body == content);
    assert_eq!(answer.header("content-type"), "application/octet-stream");
    assert_eq!(
        answer.header("content-disposition"),
        "attachment; filename=\"weights.bin\"; filename*=UTF-8''weights.bin"
    );
    assert_eq!(answer.header("content-length"), content.len().to_string());
    let files = server.json("/experiments/MNI-1/artifacts");
    let told = &files["files"][0];
    assert_eq!(
        (told["name"].as_str(), told["path"].as_str()),
        (Some("data/weights.bin"), Some("artifacts/data/weights.bin"))
    );
    assert_eq!(told["size"], content.len());
    let tag = answer.header("etag").to_owned();
    assert_eq!(tag, format!("\"{}\"", told["hash"].as_str().unwrap()));
    let known = |tags: &str| {
        let target = "/api/v1/experiments/MNI-1/file?path=artifacts/data/weights.bin";
        server.ask("GET", target, &[("If-None-Match", tags)], "")
    };
    for tags in [&tag, &format!("W/{tag}"), &format!("\"x\", {tag}"), "*"] {
        let answer = known(tags);
        assert_eq!((answer.status, answer.body.len(), answer.header("etag")), (304, 0, &*tag), "{tags}");
    }
    assert_eq!(known("\"x\"").status, 200);
}

#[test]
fn what_is_shown_is_an_image_by_its_bytes_and_a_drawing_is_in_a_sandbox() {
    let server = Server::new();
    let experiment = server.experiment();
    let script = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    for (name, content) in [
        ("a.png", &b"\x89PNG\r\n\x1a\nrest"[..]),
        ("a.jpg", b"\xff\xd8\xffrest"),
        ("a.gif", b"GIF89arest"),
        ("a.webp", b"RIFF\0\0\0\0WEBPrest"),
        ("a.svg", script),
        ("a.html", b"<script>alert(1)</script>"),
        ("b.png", b"<script>alert(1)</script>"),
        ("a.js", b"alert(1)"),
        ("a.pdf", b"%PDF-1.4"),
        ("empty", b""),
    ] {
        log(&experiment, &server, name, content);
    }
    experiment.stop().unwrap();
    let told = |name: &str| {
        let answer = file(&server, &format!("artifacts/{name}"));
        assert_eq!((answer.status, answer.header("x-content-type-options")), (200, "nosniff"), "{name}");
        let how = answer.header("content-disposition").split(';').next().unwrap().to_owned();
        (answer.header("content-type").to_owned(), how, answer.header("content-security-policy").to_owned())
    };
    for (name, kind) in
        [("a.png", "image/png"), ("a.jpg", "image/jpeg"), ("a.gif", "image/gif"), ("a.webp", "image/webp")]
    {
        let (found, how, _) = told(name);
        assert_eq!((&*found, &*how), (kind, "inline"), "{name}");
    }
    for name in ["a.html", "b.png", "a.js", "a.pdf", "empty"] {
        let (found, how, policy) = told(name);
        assert_eq!((&*found, &*how), ("application/octet-stream", "attachment"), "{name}");
        assert!(policy.contains("default-src 'self'"), "{policy}");
    }
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";
    assert_eq!(told("a.svg"), ("image/svg+xml".into(), "inline".into(), policy.into()));
    // A browser takes the headers of this answer for the drawing that it has.
    let target = "/api/v1/experiments/MNI-1/file?path=artifacts/a.svg";
    let unchanged = server.ask("GET", target, &[("If-None-Match", "*")], "");
    assert_eq!((unchanged.status, unchanged.header("content-security-policy")), (304, policy));
    let text = file(&server, "artifacts/a.html&inline=1");
    assert_eq!(
        (text.header("content-type"), &*text.text()),
        ("text/plain; charset=utf-8", "<script>alert(1)</script>")
    );
    let page = file(&server, "artifacts/a.html&inline=2");
    assert_eq!((page.header("content-type"), &*page.text()), ("text/html; charset=utf-8", "<script>alert(1)</script>"));
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; ") && policy.ends_with("; sandbox"), "{policy}");
    for name in ["b.png", "a.js", "a.svg"] {
        let (as_page, as_it_is) = (file(&server, &format!("artifacts/{name}&inline=2")), told(name));
        assert_eq!(as_page.header("content-type"), as_it_is.0, "{name}");
    }
    assert!(file(&server, "artifacts/a.html&inline=yes").problem(400).contains("inline"));
}

#[test]
fn a_text_is_shown_up_to_a_mebibyte() {
    let server = Server::new();
    let experiment = server.experiment();
    log(&experiment, &server, "long", "\u{20ac}".repeat(1 << 20).as_bytes());
    log(&experiment, &server, "odd", b"a\xff\x1b[2J\0");
    experiment.stop().unwrap();
    let long = file(&server, "artifacts/long&inline=1");
    assert_eq!(long.text(), "\u{20ac}".repeat((1 << 20) / 3));
    assert_eq!(file(&server, "artifacts/odd&inline=1").text(), "a\u{fffd}\u{1b}[2J\0");
    assert_ne!(long.header("etag"), file(&server, "artifacts/long").header("etag"));
}

#[test]
fn an_image_of_a_series_is_there_at_its_step() {
    let server = Server::new();
    let experiment = server.experiment();
    for step in 0..3_u8 {
        experiment.log_image_at("digit", f64::from(step), Image::from_u8(&[step, 0, 0, 255], 2, 2, 1).unwrap());
    }
    experiment.log_metric("loss", 0.5);
    experiment.stop().unwrap();
    let image = |query: &str| file(&server, &format!("logs/digit{query}"));
    let [first, last] = [image("&step=0"), image("&step=2")];
    for answer in [&first, &last] {
        assert_eq!((answer.status, answer.header("content-type")), (200, "image/png"));
        assert!(answer.body.starts_with(b"\x89PNG"));
    }
    assert!(last.header("content-disposition").contains("\"digit-2.png\""), "{}", last.header("content-disposition"));
    assert_ne!(first.body, last.body);
    assert_eq!(image("").body, last.body);
    assert!(image("&step=7").problem(404).contains("no image at this step"));
    assert!(image("&step=x").problem(400).contains("step"));
    assert!(image("&step=NaN").problem(404).contains("no image"));
    assert!(file(&server, "logs/loss").problem(400).contains("Series(float)"));
}

#[test]
fn pixels_that_nobody_encoded_are_an_image_all_the_same() {
    let server = Server::new();
    let experiment = server.experiment();
    experiment.log_image("digit", Image::from_u8(&[1, 2, 3, 4, 5, 6], 1, 2, 3).unwrap());
    experiment.stop().unwrap();
    let objects = server.folder().join(objects::FOLDER);
    let encoded = find(&objects, "png").unwrap();
    // As after a death between the log and the encoder.
    let raw =
        [&b"P7\nWIDTH 2\nHEIGHT 1\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n"[..], &[1, 2, 3, 4, 5, 6]].concat();
    std::fs::write(encoded.with_extension("pam"), raw).unwrap();
    std::fs::remove_file(encoded).unwrap();
    let answer = file(&server, "logs/digit");
    assert_eq!((answer.status, answer.header("content-type")), (200, "image/png"), "{}", answer.text());
    assert!(answer.body.starts_with(b"\x89PNG"));
}

/// A file below a folder that ends with `ending`.
fn find(folder: &std::path::Path, ending: &str) -> Option<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut found = entries.filter_map(|path| {
        if path.is_dir() {
            find(&path, ending)
        } else {
            path.extension().is_some_and(|it| it == ending).then_some(path)
        }
    });
    found.next()
}

#[test]
fn no_path_leads_out_of_the_objects() {
    let server = Server::new();
    let experiment = server.experiment();
    log(&experiment, &server, "a", b"content");
    experiment.stop().unwrap();
    for path in [
        "../../../../etc/passwd",
        "artifacts/../../store.db",
        "/etc/passwd",
        "artifacts/a/../../../store.db",
        "artifacts/%2e%2e/store.db",
        "artifacts%2f..%2f..%2fstore.db",
        "artifacts/a%00.png",
        "artifacts\\..\\store.db",
        "file:///etc/passwd",
        "objects",
        "store.db",
        "",
    ] {
        let message = file(&server, path).problem(404);
        assert!(message.contains("nothing was written to"), "{path}: {message}");
    }
    for target in ["/api/v1/../../etc/passwd", "/ui/../Cargo.toml", "/ui/..%2f..%2fetc%2fpasswd", "/ui//etc/passwd"] {
        let answer = server.ask("GET", target, &[], "");
        assert!(answer.status == 404 || answer.text().starts_with("<!"), "{target}: {}", answer.text());
        assert!(!answer.text().contains("root:"), "{target}");
    }
    assert!(file(&server, "artifacts/b").problem(404).contains("did you mean \"artifacts/a\""));
    std::fs::remove_dir_all(server.folder().join(objects::FOLDER)).unwrap();
    assert!(file(&server, "artifacts/a").problem(404).contains("neptune doctor"));
}

#[test]
fn content_is_a_file_and_neither_a_link_nor_a_pipe() {
    let server = Server::new();
    let experiment = server.experiment();
    log(&experiment, &server, "a", b"content");
    experiment.stop().unwrap();
    let hash = server.json("/experiments/MNI-1/artifacts")["files"][0]["hash"].as_str().unwrap().to_owned();
    let object = objects::file_of(&server.folder(), hash.parse().unwrap());
    let secret = server.folder().with_file_name("secret");
    std::fs::write(&secret, "secret").unwrap();
    let refused = |what: &str| {
        let message = file(&server, "artifacts/a").problem(500);
        assert!(message.contains(what), "{message}");
        assert!(file(&server, "artifacts/a&inline=1").problem(500).contains(what));
        let archive = server.get("/experiments/MNI-1/zip?what=artifacts");
        assert!(!archive.text().contains("secret") && archive.body.len() < 22, "it breaks off: {}", archive.body.len());
        std::fs::remove_file(&object).or_else(|_| std::fs::remove_dir(&object)).unwrap();
    };
    std::fs::remove_file(&object).unwrap();
    std::os::unix::fs::symlink(&secret, &object).unwrap();
    refused("a link");
    assert!(std::process::Command::new("mkfifo").arg(&object).status().unwrap().success());
    refused("a pipe");
    std::fs::create_dir(&object).unwrap();
    refused("a folder");
    std::fs::write(&object, "content").unwrap();
    assert_eq!(file(&server, "artifacts/a").text(), "content");
}

#[test]
fn a_name_does_not_leave_its_header() {
    let server = Server::new();
    let experiment = server.experiment();
    let long = format!("{}.tar.gz", "x".repeat(900));
    let names = [
        "<img src=x onerror=alert(1)>.bin",
        "a\"; filename=\"evil.exe",
        "a'b;c",
        "\u{1f600}\u{e4}\u{202e}gpj.exe",
        "%0d%0aSet-Cookie: x=y",
        "a\\b",
        "...",
        &long,
    ];
    for name in names {
        log(&experiment, &server, name, b"content");
    }
    experiment.stop().unwrap();
    for name in names {
        let answer = file(&server, &escaped(&format!("artifacts/{name}")));
        assert_eq!((answer.status, &*answer.body), (200, &b"content"[..]), "{name}");
        assert_eq!(answer.header("set-cookie"), "", "{name}");
        let told = answer.header("content-disposition");
        let plain = told.strip_prefix("attachment; filename=\"").unwrap().split_once('"').unwrap();
        assert!(plain.1.starts_with("; filename*=UTF-8''") && !plain.1.contains('"'), "{told}");
        assert!(told.is_ascii() && told.len() < 1_000 && !plain.0.contains(['<', '\\', '/', ';', '%']), "{told}");
    }
    // Too long to be logged.
    assert!(file(&server, &escaped(&"y".repeat(10_000))).problem(404).contains("nothing was written"));
}

#[test]
fn an_archive_has_every_file() {
    let server = Server::new();
    let experiment = server.experiment();
    for number in 0..20 {
        log(&experiment, &server, &format!("data/{number}.txt"), format!("file {number}\n").repeat(1000).as_bytes());
    }
    experiment.stop().unwrap();
    let answer = server.get("/experiments/latest/zip?what=artifacts");
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/zip"));
    assert!(answer.header("content-disposition").contains("\"MNI-1-artifacts.zip\""));
    assert!(answer.body.starts_with(b"PK\x03\x04"));
    let names = answer.body.windows(12).filter(|bytes| bytes.starts_with(b"data/") && bytes.contains(&b'.'));
    assert_eq!(names.count(), 2 * 20, "in front of each file and in the list at the end");
    let sources = server.get("/experiments/latest/zip?what=sources");
    assert_eq!((sources.status, sources.body.len()), (200, 22), "an archive of nothing");
    assert!(server.get("/experiments/latest/zip").problem(400).contains("what"));
    assert!(server.get("/experiments/latest/zip?what=secrets").problem(400).contains("secrets"));
}

#[test]
fn a_client_that_goes_away_ends_the_work() {
    let server = Server::new();
    let experiment = server.experiment();
    let mut noise = vec![0_u8; 48 << 20];
    let mut state = 1_u64;
    for byte in &mut noise {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        *byte = (state >> 56) as u8;
    }
    log(&experiment, &server, "large", &noise);
    experiment.stop().unwrap();
    // As many as may be written at the same time, each of which is left in its middle.
    let leave = || {
        let mut stream = TcpStream::connect(server.address).unwrap();
        let wanted = request("GET", "/api/v1/experiments/latest/zip?what=artifacts", &[], "");
        std::io::Write::write_all(&mut stream, &wanted).unwrap();
        let mut beginning = [0; 4096];
        assert!(stream.read(&mut beginning).unwrap() > 0);
        stream
    };
    let streams: Vec<TcpStream> = (0..4).map(|_| leave()).collect();
    assert!(server.get("/experiments/latest/zip?what=artifacts").problem(503).contains("again"));
    drop(streams);
    let begun = Instant::now();
    while server.get("/experiments/latest/zip?what=sources").status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(20), "the work goes on");
    }
}
