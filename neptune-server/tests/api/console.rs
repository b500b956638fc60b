//! The console: pages of lines, from either end, while lines are added.

use neptune_core::{Experiment, Timestamp};
use serde_json::Value;

use crate::{http::escaped, run::Server};

/// Lines as a page has them: process, stream, number and text in one.
fn lines(page: &Value) -> Vec<String> {
    let line = |line: &Value| {
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        format!("{}/{}/{}/{}", text("process"), text("stream"), line["number"], text("text"))
    };
    page["lines"].as_array().unwrap().iter().map(line).collect()
}

fn page(server: &Server, query: &str) -> Value {
    server.json(&format!("/experiments/MNI-1/console?{query}"))
}

/// All pages from the end to the beginning, put together again.
fn all_backwards(server: &Server, query: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut now = page(server, query);
    loop {
        all.splice(0..0, lines(&now));
        let Some(before) = now["before"].as_str() else { return all };
        now = page(server, &format!("{query}&before={}", escaped(before)));
    }
}

/// All pages from the beginning to the end.
fn all_forwards(server: &Server, query: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut after = "{}".to_owned();
    loop {
        let now = page(server, &format!("{query}&after={}", escaped(&after)));
        if lines(&now).is_empty() {
            return all;
        }
        all.extend(lines(&now));
        now["after"].as_str().unwrap().clone_into(&mut after);
    }
}

struct Printed {
    time: i64,
    process: &'static str,
    stream: &'static str,
    number: u32,
}

/// Logs `count` lines of three streams whose times are mixed; returns what they are in order.
fn print(experiment: &Experiment, count: u32) -> Vec<Printed> {
    let streams = [("00000001", "stdout"), ("00000001", "stderr"), ("00000002", "stdout")];
    let mut state = 3_u64;
    let mut times = [1_000_000_i64; 3];
    let mut printed = Vec::new();
    for (at, (process, stream)) in streams.into_iter().enumerate() {
        let series = experiment.series::<String>(&format!("monitoring/{process}/{stream}")).unwrap();
        for number in 0..count {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Some at the same time.
            times[at] += i64::try_from(state >> 60).unwrap();
            series.append_with(f64::from(number), Timestamp::from_micros(times[at]), format!("Line {number}"));
            printed.push(Printed { time: times[at], process, stream, number });
        }
    }
    // Of lines at the same time those of the stream whose path comes first.
    printed.sort_by_key(|line| (line.time, line.process, line.stream, line.number));
    printed
}

fn told(printed: &[Printed]) -> Vec<String> {
    printed
        .iter()
        .map(|line| format!("{}/{}/{}.0/Line {}", line.process, line.stream, line.number, line.number))
        .collect()
}

#[test]
fn pages_from_either_end_have_every_line_once_and_in_order() {
    let server = Server::new();
    let experiment = server.experiment();
    let printed = print(&experiment, 700);
    experiment.stop().unwrap();
    let all = told(&printed);
    for limit in [1_000, 499, 64, 5_000] {
        let query = format!("limit={limit}");
        assert_eq!(all_backwards(&server, &query), all, "{limit}");
        assert_eq!(all_forwards(&server, &query), all, "{limit}");
    }
    let end = page(&server, "");
    assert_eq!(lines(&end), all[all.len() - 500..]);
    let stderr: Vec<String> = all.iter().filter(|line| line.contains("stderr")).cloned().collect();
    assert_eq!(all_backwards(&server, "stream=stderr&limit=300"), stderr);
    assert!(lines(&page(&server, "limit=0")).len() == 1 && lines(&page(&server, "limit=999999")).len() == 2_100);
}

#[test]
fn from_a_line_on_there_is_what_was_printed_around_it() {
    let server = Server::new();
    let experiment = server.experiment();
    let printed = print(&experiment, 9_000);
    experiment.stop().unwrap();
    let all = told(&printed);
    for at in (0..27_000).step_by(331) {
        let Printed { process, stream, number, .. } = &printed[at];
        let from = page(&server, &format!("line={process}/{stream}/{number}&limit=90"));
        assert_eq!(lines(&from), all[at..(at + 90).min(all.len())], "{at}");
        let before = page(&server, &format!("before={}&limit=50", escaped(from["before"].as_str().unwrap())));
        assert_eq!(lines(&before), all[at.saturating_sub(50)..at], "{at}");
    }
    let only = page(&server, "line=00000002/stdout/300&stream=stderr&limit=1");
    assert!(lines(&only)[0].contains("stderr"));
    let missing = |line: &str| server.get(&format!("/experiments/MNI-1/console?line={line}"));
    assert!(missing("00000002/stdout/9000").problem(404).contains("no such line"));
    assert!(missing("00000003/stdout/1").problem(404).contains("no such line"));
    for name in ["1", "00000002/stdin/1", "00000002/stdout/x"] {
        assert!(missing(&escaped(name)).problem(400).contains("names no line"), "{name}");
    }
}

#[test]
fn a_search_finds_what_is_there_in_any_case() {
    let server = Server::new();
    let experiment = server.experiment();
    let printed = print(&experiment, 1_000);
    experiment.stop().unwrap();
    let found: Vec<String> = told(&printed).into_iter().filter(|line| line.contains("99")).collect();
    for limit in [1, 7, 500] {
        assert_eq!(all_backwards(&server, &format!("search=E%2099&limit={limit}")).len(), 3 * 11, "{limit}");
        assert_eq!(all_backwards(&server, &format!("search=99&limit={limit}")), found, "{limit}");
        assert_eq!(all_forwards(&server, &format!("search=99&limit={limit}")), found, "{limit}");
    }
    let none = page(&server, "search=nowhere");
    assert_eq!((lines(&none).len(), &none["before"]), (0, &Value::Null));
    let with_stream = page(&server, "search=LINE%2012&stream=stderr");
    assert_eq!(lines(&with_stream).len(), 11);
}

#[test]
fn lines_that_come_later_are_behind_what_was_told_and_move_nothing() {
    let server = Server::new();
    let experiment = server.experiment();
    print(&experiment, 100);
    experiment.flush(std::time::Duration::from_secs(30)).unwrap();
    let first = page(&server, "limit=50");
    let before = escaped(first["before"].as_str().unwrap());
    let after = escaped(first["after"].as_str().unwrap());
    let older = page(&server, &format!("limit=50&before={before}"));
    assert!(lines(&page(&server, &format!("after={after}"))).is_empty());
    // Behind everything, before everything, and in a stream that is new.
    let append = |path: &str, number: f64, time: i64, text: &str| {
        let series = experiment.series::<String>(path).unwrap();
        series.append_with(number, Timestamp::from_micros(time), text);
    };
    append("monitoring/00000001/stdout", 100.0, i64::from(u32::MAX), "new");
    append("monitoring/00000001/stderr", 100.0, 5, "late");
    append("monitoring/00000003/stderr", 0.0, 7, "other");
    experiment.stop().unwrap();
    assert_eq!(page(&server, &format!("limit=50&before={before}")), older);
    let mut new = lines(&page(&server, &format!("after={after}")));
    new.sort();
    assert_eq!(new, ["00000001/stderr/100.0/late", "00000001/stdout/100.0/new", "00000003/stderr/0.0/other"]);
    let again = page(&server, &format!("after={after}"));
    assert_eq!(again["before"].as_str(), first["after"].as_str());
}

#[test]
fn a_clock_that_is_set_back_and_odd_numbers_lose_no_line() {
    let server = Server::new();
    let experiment = server.experiment();
    let (one, other) = ("monitoring/00000001/stdout", "monitoring/00000002/stdout");
    let [one, other] = [one, other].map(|path| experiment.series::<String>(path).unwrap());
    for (at, (number, time)) in
        [(-3.5, 900), (0.0, 100), (0.25, 800), (1e15, 50), (1e300, 1000)].into_iter().enumerate()
    {
        one.append_with(number, Timestamp::from_micros(time), format!("a{at}"));
        other.append_with(at as f64, Timestamp::from_micros(time / 2), format!("b{at}"));
    }
    experiment.stop().unwrap();
    for limit in 1..12 {
        for mut all in
            [all_backwards(&server, &format!("limit={limit}")), all_forwards(&server, &format!("limit={limit}"))]
        {
            let texts: Vec<&str> = all.iter().map(|line| line.rsplit('/').next().unwrap()).collect();
            let of = |name: char| texts.iter().filter(|text| text.starts_with(name)).copied().collect::<Vec<_>>();
            assert_eq!(
                (of('a'), of('b')),
                (vec!["a0", "a1", "a2", "a3", "a4"], vec!["b0", "b1", "b2", "b3", "b4"]),
                "{limit}"
            );
            all.sort();
            all.dedup();
            assert_eq!(all.len(), 10, "{limit}");
        }
    }
}

#[test]
fn few_lines_of_great_length_are_a_page() {
    let server = Server::new();
    let experiment = server.experiment();
    let series = experiment.series::<String>("monitoring/00000001/stdout").unwrap();
    let long = "x".repeat(1 << 19);
    for number in 0..40 {
        series.append_with(number, Timestamp::from_micros(number), format!("{long}{number}"));
    }
    experiment.stop().unwrap();
    let page = page(&server, "");
    assert!((10..=17).contains(&lines(&page).len()), "{}", lines(&page).len());
    assert_eq!(all_backwards(&server, "").len(), 40);
    assert_eq!(all_forwards(&server, "").len(), 40);
}

#[test]
fn what_is_no_console_and_no_place_is_said() {
    let server = Server::new();
    server.experiment().stop().unwrap();
    assert_eq!(page(&server, ""), serde_json::json!({ "lines": [], "before": null, "after": "{}" }));
    let refused = |query: &str| server.get(&format!("/experiments/MNI-1/console?{query}")).problem(400);
    for place in ["x", "[]", "{\"a\":1}", "{\"a\":[1]}", "{\"a\":[\"1\",2]}", "null"] {
        assert!(refused(&format!("before={}", escaped(place))).contains("no place in a console"), "{place}");
    }
    assert!(refused("before={}&after={}").contains("not for one request"));
    assert!(refused("before={}&line=a/stdout/1").contains("not for one request"));
    assert!(refused("stream=stdin").contains("stdin"));
    assert!(refused("limit=-1").contains("limit"));
}
