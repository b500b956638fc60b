//! Many readers at once while somebody logs.

use std::{
    net::TcpStream,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::run::Server;

#[test]
fn readers_see_whole_answers_while_a_trainer_writes() {
    const READERS: usize = 32;
    let server = Server::new();
    let experiment = server.experiment();
    experiment.log_metric_at("loss", 0, 0.0);
    experiment.flush(std::time::Duration::from_secs(30)).unwrap();
    let (is_done, answers) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for reader in 0..READERS {
            let (server, is_done, answers) = (&server, &is_done, &answers);
            scope.spawn(move || {
                let mut most = 0;
                while !is_done.load(Ordering::Relaxed) {
                    match reader % 4 {
                        0 => {
                            let points = server.json("/experiments/MNI-1/points?path=logs/loss");
                            let steps = points["steps"].as_array().unwrap();
                            assert_eq!(steps.len(), points["values"].as_array().unwrap().len());
                            assert!(steps.len() >= most, "points that were there are gone");
                            most = steps.len();
                        }
                        1 => assert_eq!(server.json("/experiments?column=logs/loss")["total"], 1),
                        2 => assert_eq!(server.json("/experiments/MNI-1/variables?prefix=logs/")["total"], 1),
                        _ => {
                            let wanted =
                                json!({ "series": [{ "experiment": "latest", "path": "logs/loss" }], "buckets": 50 });
                            assert_eq!(server.send("POST", "/overviews", &wanted).status, 200);
                        }
                    }
                    answers.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let begun = Instant::now();
        let mut step = 0_u32;
        while begun.elapsed() < Duration::from_secs(3) || answers.load(Ordering::Relaxed) < 4 * READERS as u64 {
            for _ in 0..1_000 {
                step += 1;
                experiment.log_metric_at("loss", f64::from(step), 0.5);
            }
            experiment.flush(std::time::Duration::from_secs(30)).unwrap();
            if step >= 60_000 {
                break;
            }
        }
        let lost = experiment.stop().unwrap();
        is_done.store(true, Ordering::Relaxed);
        assert!(lost.is_empty(), "{lost}");
    });
}

#[test]
fn connections_that_do_nothing_do_not_keep_others_out() {
    let server = Server::new();
    server.experiment().stop().unwrap();
    let idle: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    assert_eq!(server.get("/projects").status, 200);
    drop(idle);
    // More than there is room for wait for those before them.
    let many: Vec<TcpStream> = (0..300).filter_map(|_| TcpStream::connect(server.address).ok()).collect();
    drop(many);
    assert_eq!(server.get("/projects").status, 200);
}
