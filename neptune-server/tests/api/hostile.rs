//! Requests that are wrong, or too much: each is refused, and the server goes on.

use serde_json::json;

use crate::{http::escaped, run::Server};

#[test]
fn a_document_that_is_wrong_is_refused() {
    let server = Server::new();
    server.experiment().stop().unwrap();
    let json = [("Content-Type", "application/json")];
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for (method, target) in [
        ("POST", "/api/v1/overviews"),
        ("PATCH", "/api/v1/experiments/MNI-1"),
        ("POST", "/api/v1/experiments/MNI-1/abort"),
        ("POST", "/api/v1/experiments/MNI-1/trash"),
    ] {
        for body in
            ["", "{", "[]", "null", "1", "\"\"", "{\"a\"", "\u{0}", &deep, "{\"series\":7,\"name\":7,\"reason\":7}"]
        {
            let answer = server.ask(method, target, &json, body);
            // A list of no fields says nothing wrong.
            let is_fine = answer.status == 204 || (answer.status == 200 && body == "[]");
            assert!((400..500).contains(&answer.status) || is_fine, "{method} {target} {body:.20}: {}", answer.status);
            assert!(is_fine || !answer.json()["error"].as_str().unwrap().is_empty());
        }
        let huge = format!("{{\"name\":\"{}\"}}", "x".repeat(3 << 20));
        server.ask(method, target, &json, &huge).problem(413);
    }
    assert_eq!(server.get("/projects").status, 200);
}

#[test]
fn a_query_that_is_wrong_is_refused() {
    let server = Server::new();
    let experiment = server.experiment();
    experiment.log_metric("loss", 0.5);
    experiment.log_text("note", "a");
    experiment.stop().unwrap();
    let parentheses = format!("{}a = 1{}", "(".repeat(8_000), ")".repeat(8_000));
    let not = format!("{}a = 1", "not ".repeat(9_000));
    let or = vec!["a = 1"; 2_500].join(" or ");
    let columns = "&column=sys/id".repeat(4_000);
    let sorts = "&sort=logs/loss&sort=-sys/name".repeat(1_500);
    let ids = "&id=MNI-1".repeat(6_000);
    for query in [
        format!("filter={}", escaped(&parentheses)),
        format!("filter={}", escaped(&not)),
        format!("filter={}", escaped(&or)),
        format!("filter={}", escaped("a = \"")),
        format!("filter={}", escaped("' OR 1=1; DROP TABLE experiment; --")),
        format!("filter={}", escaped("sys/name ~ \"(a+)+$\"")),
        "filter=%ff%fe".to_owned(),
        "limit=-1".to_owned(),
        "limit=18446744073709551616".to_owned(),
        "limit=18446744073709551615".to_owned(),
        "offset=18446744073709551615".to_owned(),
        "sort=&column=&id=&project=".to_owned(),
        "sort=-".to_owned(),
        "hidden=perhaps".to_owned(),
        "project=no-slash".to_owned(),
        format!("project={}", "x/".repeat(10_000)),
        format!("column={}", "x".repeat(30_000)),
        columns,
        sorts,
        ids,
    ] {
        let answer = server.get(&format!("/experiments?{query}"));
        assert!(answer.status < 500, "{query:.80}: {} {:.300}", answer.status, answer.text());
        answer.json();
    }
    for query in [
        "path=",
        "path=logs/loss&from=x",
        "path=logs/loss&tail=-1",
        "paths=logs/loss",
        "path=logs/loss&path=logs/note",
        "path=%ff",
    ] {
        let answer = server.get(&format!("/experiments/MNI-1/points?{query}"));
        assert!((400..500).contains(&answer.status), "{query}: {}", answer.text());
    }
    assert_eq!(server.json("/experiments")["total"], 1);
}

#[test]
fn long_names_are_refused_at_once() {
    let server = Server::new();
    let experiment = server.experiment();
    for number in 0..3_000 {
        experiment.log_metric(&format!("some/long/name/of/a/series/{number}"), 0.0);
    }
    experiment.stop().unwrap();
    let begun = std::time::Instant::now();
    let long = "x".repeat(60_000);
    server.get(&format!("/experiments/{long}")).problem(404);
    server.get(&format!("/experiments/MNI-1/points?path={long}")).problem(404);
    let series = vec![json!({ "experiment": "MNI-1", "path": "some/long/name/of/a/series/x" }); 1_000];
    let answer = server.send("POST", "/overviews", &json!({ "series": series, "buckets": 10 }));
    assert_eq!(answer.status, 200);
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
}

#[test]
fn what_was_logged_is_data_whatever_it_says() {
    let server = Server::new();
    let experiment = server.experiment();
    let hostile = "</script><img src=x onerror=alert(1)>\u{1b}[2J\u{202e}\r\n\u{0}";
    experiment.set_name(hostile);
    experiment.set_description("x".repeat(1 << 20));
    experiment.add_tags([hostile]);
    experiment.log_text(&"<b>/a".repeat(20), hostile);
    experiment.stop().unwrap();
    let found = server.json("/experiments/MNI-1");
    assert_eq!((found["name"].as_str(), found["tags"][0].as_str()), (Some(hostile), Some(hostile)));
    for path in ["/experiments?column=sys/name&column=sys/tags", "/experiments/MNI-1/variables", "/paths"] {
        let answer = server.get(path);
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
        answer.json();
    }
}

#[test]
fn a_table_takes_only_so_much_room() {
    let server = Server::new();
    let experiment = server.experiment();
    experiment.set_description("x".repeat(1_000_000));
    experiment.add_tags((0..10_000).map(|number| format!("{number:0100}")));
    experiment.stop().unwrap();
    let table = |columns: &str, times: usize, limit: u64| {
        server.get(&format!("/experiments?limit={limit}{}", format!("&column={columns}").repeat(times)))
    };
    assert_eq!(table("sys/description", 67, 100).status, 200);
    let message = table("sys/description", 68, 100).problem(400);
    assert!(message.contains("67108864 bytes of text") && message.contains("fewer rows"), "{message}");
    let message = table("sys/tags", 68, 100).problem(400);
    assert!(message.contains("bytes of text"), "{message}");
    // Cells are counted that are there, and not those that could be.
    assert_eq!(table("a", 6_000, u64::MAX).status, 200);
    let store = rusqlite::Connection::open(server.folder().join("store.db")).unwrap();
    let more = "WITH RECURSIVE more(number) AS (SELECT 2 UNION ALL SELECT number + 1 FROM more WHERE number < 400)
                INSERT INTO experiment (uuid, project_id, number, outcome) SELECT randomblob(16), 1, number, 0 FROM more";
    store.execute(more, []).unwrap();
    let message = table("a", 6_000, u64::MAX).problem(400);
    assert!(message.contains("400 rows of 6000 columns") && message.contains("fewer rows"), "{message}");
    assert_eq!(table("a", 6_000, 300).status, 200);
}
