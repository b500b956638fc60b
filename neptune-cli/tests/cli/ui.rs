//! `neptune ui`: where it listens, for whom, and what it starts.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::run::{command, said};

const TOKEN: &str = "0123456789abcdef";

/// The program while it serves; ended when this is dropped.
struct Serving {
    program: Child,
    told: serde_json::Value,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.program.kill().ok();
        self.program.wait().ok();
    }
}

/// What serves, once it says where.
fn serving(mut program: Command) -> Serving {
    let mut program = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
    Serving { program, told: serde_json::from_str(&line).unwrap() }
}

fn ui(folder: &Path, more: &[&str]) -> Command {
    let mut program = command(folder, &[&["--json", "ui", "--port", "0"], more].concat());
    program.env_remove("NEPTUNE_UI_TOKEN");
    program
}

fn status(port: u64, headers: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", u16::try_from(port).unwrap())).unwrap();
    let request = format!("GET /api/v1/projects HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn it_says_where_it_listens_and_a_token_is_asked_for_where_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("n");
    let open = serving(ui(&store, &[]));
    let port = open.told["port"].as_u64().unwrap();
    assert_eq!(open.told["url"], format!("http://127.0.0.1:{port}/"));
    assert_eq!(status(port, ""), "200");
    let mut closed = ui(&store, &[]);
    closed.env("NEPTUNE_UI_TOKEN", TOKEN);
    let closed = serving(closed);
    let port = closed.told["port"].as_u64().unwrap();
    assert!(!closed.told.to_string().contains(TOKEN), "{}", closed.told);
    assert_eq!(
        (status(port, ""), status(port, &format!("Authorization: Bearer {TOKEN}\r\n"))),
        ("401".into(), "200".into())
    );
}

#[test]
fn it_does_not_listen_where_it_should_not() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let message = said(folder.path(), &["ui", "--port", &port], 2);
    assert!(message.contains(&port) && message.contains("--port"), "{message}");
    // An empty secret is none.
    let refused = ui(folder.path(), &["--host", "0.0.0.0"]).env("NEPTUNE_UI_TOKEN", "").output().unwrap();
    let message = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(2) && message.contains("NEPTUNE_UI_TOKEN"), "{message}");
    let refused = ui(folder.path(), &[]).env("NEPTUNE_UI_TOKEN", "too short").output().unwrap();
    let message = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(2) && message.contains("16") && !message.contains("too short"), "{message}");
}

#[cfg(target_os = "linux")]
#[expect(clippy::disallowed_methods, reason = "it measures how long it waits")]
#[test]
fn a_browser_that_it_opens_is_not_ended_by_its_interrupt() {
    use std::{
        os::unix::fs::PermissionsExt as _,
        time::{Duration, Instant},
    };

    let folder = tempfile::tempdir().unwrap();
    let (programs, asked) = (folder.path().join("bin"), folder.path().join("asked"));
    std::fs::create_dir(&programs).unwrap();
    let browser = programs.join("xdg-open");
    let script = format!("#!/bin/sh\nread all < /proc/$$/stat\necho $1 $$ $all > {}\n", asked.display());
    std::fs::write(&browser, script).unwrap();
    std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut program = ui(&folder.path().join("n"), &["--open"]);
    program.env("PATH", &programs);
    let serving = serving(program);
    let begun = Instant::now();
    let told = loop {
        match std::fs::read_to_string(&asked) {
            Ok(told) if told.ends_with('\n') => break told,
            _ => assert!(begun.elapsed() < Duration::from_secs(30), "no browser is opened"),
        }
        std::thread::yield_now();
    };
    let told: Vec<&str> = told.split_whitespace().collect();
    assert_eq!(serving.told["url"], told[0]);
    // pid, name, state, parent, group: a terminal sends its interrupt to a group.
    assert_eq!((told[1], told[6]), (told[2], told[1]), "{told:?}");
}
