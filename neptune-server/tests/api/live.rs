//! The stream of events.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::{http::request, run::Server};

/// A stream of events that is listened to.
struct Events(BufReader<TcpStream>);

impl Events {
    fn listen(server: &Server) -> Self {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(&request("GET", "/api/v1/live", &[], "")).unwrap();
        let mut events = Self(BufReader::new(stream));
        while events.line(Duration::from_secs(10)).unwrap() != "\r\n" {}
        events
    }

    /// The next line within this time.
    fn line(&mut self, patience: Duration) -> Option<String> {
        self.0.get_ref().set_read_timeout(Some(patience)).unwrap();
        let mut line = String::new();
        self.0.read_line(&mut line).ok().filter(|length| *length > 0)?;
        Some(line)
    }

    /// How long it takes until an event comes, if one does.
    fn next(&mut self, patience: Duration) -> Option<Duration> {
        let begun = Instant::now();
        while let Some(left) = patience.checked_sub(begun.elapsed()) {
            if self.line(left)?.starts_with("event: change") {
                return Some(begun.elapsed());
            }
        }
        None
    }

    /// Reads what is told until nothing is.
    fn calm(&mut self) {
        while self.next(Duration::from_secs(2)).is_some() {}
    }
}

const SOON: Duration = Duration::from_secs(2);

/// Processes that look whether others have died write nothing.
const QUIET: Duration = Duration::from_secs(5);

#[test]
fn a_change_is_told_soon_and_nothing_is_told_of_nothing() {
    let server = Server::new();
    // There is no folder yet.
    let mut events = Events::listen(&server);
    assert_eq!(events.next(QUIET), None);
    let experiment = server.experiment();
    assert!(events.next(SOON).is_some());
    experiment.log_metric("loss", 0.5);
    experiment.flush(std::time::Duration::from_secs(30)).unwrap();
    assert!(events.next(SOON).is_some());
    events.calm();
    assert_eq!(events.next(QUIET), None, "it runs, and nothing happens");
    experiment.log_metric("loss", 0.25);
    experiment.flush(std::time::Duration::from_secs(30)).unwrap();
    assert!(events.next(SOON).is_some());
    experiment.stop().unwrap();
    events.calm();
    // Somebody else who begins to listen is told of nothing either.
    let mut other = Events::listen(&server);
    assert_eq!(other.next(QUIET), None);
    assert_eq!(events.next(Duration::from_millis(10)), None);
}

#[test]
fn a_store_that_is_made_anew_is_told_of_and_read() {
    let server = Server::new();
    let experiment = server.experiment();
    experiment.set_name("old");
    experiment.stop().unwrap();
    let mut events = Events::listen(&server);
    assert_eq!(server.json("/experiments/latest")["name"], "old");
    std::fs::remove_dir_all(server.folder()).unwrap();
    assert!(events.next(SOON).is_some());
    assert!(server.get("/experiments/latest").problem(404).contains("no experiment yet"));
    let experiment = server.experiment();
    experiment.set_name("new");
    experiment.stop().unwrap();
    assert!(events.next(SOON).is_some());
    assert_eq!(server.json("/experiments/latest")["name"], "new");
    events.calm();
    let experiment = server.experiment();
    assert!(events.next(SOON).is_some(), "it looks into the new one");
    experiment.stop().unwrap();
}

#[test]
fn nobody_looks_once_nobody_listens() {
    let server = Server::new();
    server.experiment().stop().unwrap();
    let opened = || {
        let files = std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| entry.ok()?.path().read_link().ok());
        files.filter(|file| file.starts_with(server.folder()) && file.ends_with("store.db")).count()
    };
    let begun = Instant::now();
    let wait_for = |open: usize, because: &str, meanwhile: &dyn Fn()| {
        while opened() != open {
            assert!(begun.elapsed() < Duration::from_mins(1), "{because}: {} are open", opened());
            meanwhile();
        }
    };
    let pause = || std::thread::park_timeout(Duration::from_millis(20));
    wait_for(0, "the program that logged closes what it opened", &pause);
    let listening: Vec<Events> = (0..10).map(|_| Events::listen(&server)).collect();
    wait_for(1, "one looks for all", &pause);
    drop(listening);
    // That a client has gone is seen when something is sent to it.
    wait_for(0, "nobody looks any more", &|| {
        server.experiment().stop().unwrap();
        pause();
    });
}
