//! Series: points, overviews, timings, differences.

use serde_json::json;

use crate::run::Server;

#[test]
fn points_come_from_either_end_and_within_a_range() {
    let server = Server::new();
    let experiment = server.experiment();
    for step in 0..40_000 {
        experiment.log_metric_at("loss", f64::from(step), f64::from(step) / 2.0);
    }
    for (step, value) in [(0, f64::NAN), (1, f64::INFINITY), (2, f64::NEG_INFINITY)] {
        experiment.series::<f64>("logs/odd").unwrap().append_at(step, value);
    }
    experiment.log_text_at("note", 0.5, "<script>");
    experiment.stop().unwrap();
    let points = |query: &str| server.json(&format!("/experiments/MNI-1/points?path={query}"));
    let all = points("logs/loss");
    assert_eq!((all["steps"].as_array().unwrap().len(), &all["has_more"]), (40_000, &json!(false)));
    assert_eq!((&all["steps"][39_999], &all["values"][39_999]), (&json!(39_999.0), &json!(19_999.5)));
    assert_eq!(all["times"].as_array().unwrap().len(), 40_000);
    let within = points("logs/loss&from=9998.5&to=10001");
    assert_eq!(within["steps"], json!([9999.0, 10000.0, 10001.0]));
    assert_eq!(points("logs/loss&tail=2")["steps"], json!([39_998.0, 39_999.0]));
    assert_eq!(points("logs/loss&tail=0")["steps"], json!([]));
    assert_eq!(points("logs/loss&tail=18446744073709551615")["steps"].as_array().unwrap().len(), 40_000);
    assert_eq!(points("logs/loss&from=NaN")["steps"], json!([]));
    assert_eq!(points("logs/loss&from=3&to=2")["steps"], json!([]));
    assert_eq!(points("logs/odd")["values"], json!(["NaN", "inf", "-inf"]));
    let odd = json!({ "series": [{ "experiment": "MNI-1", "path": "logs/odd" }], "buckets": 1 });
    let odd = &server.send("POST", "/overviews", &odd).json()["series"][0];
    let counts = ["count", "nonfinite", "positive_infinite", "negative_infinite"].map(|name| odd[name][0].as_u64());
    assert_eq!(counts, [3, 3, 1, 1].map(Some));
    assert_eq!(points("logs/note")["values"], json!(["<script>"]));
    assert!(server.get("/experiments/MNI-1/points?path=sys/name").problem(404).contains("nothing was written"));
    assert!(server.get("/experiments/MNI-1/points?path=sys/state").problem(400).contains("only a series has points"));
}

#[test]
fn an_answer_has_so_many_points_and_says_that_there_are_more() {
    let server = Server::new();
    let experiment = server.experiment();
    for step in 0..100_500 {
        experiment.log_metric_at("loss", f64::from(step), 0.0);
    }
    let text = "x".repeat(1 << 19);
    for step in 0..80 {
        experiment.log_text_at("long", step, &text);
    }
    experiment.stop().unwrap();
    let points = |query: &str| server.json(&format!("/experiments/MNI-1/points?path={query}"));
    for (query, first, count, has_more) in [
        ("logs/loss", 0.0, 100_000, true),
        ("logs/loss&from=500", 500.0, 100_000, false),
        ("logs/loss&tail=100500", 500.0, 100_000, false),
        ("logs/long", 0.0, 64, true),
    ] {
        let found = points(query);
        let steps = found["steps"].as_array().unwrap();
        assert_eq!((&steps[0], steps.len(), &found["has_more"]), (&json!(first), count, &json!(has_more)), "{query}");
        assert_eq!(found["values"].as_array().unwrap().len(), count, "{query}");
    }
    let tail = points("logs/long&tail=80");
    let steps = tail["steps"].as_array().unwrap();
    assert!((60..=70).contains(&steps.len()) && steps.last() == Some(&json!(79.0)), "{steps:?}");
}

#[test]
fn overviews_of_what_is_there_and_of_what_is_not_come_in_one_answer() {
    let server = Server::new();
    for _ in 0..2 {
        let experiment = server.experiment();
        for step in 0..10_000 {
            experiment.log_metric_at("loss", f64::from(step), f64::from(step));
        }
        experiment.log_text("note", "a");
        experiment.stop().unwrap();
    }
    let series = |experiment: &str, path: &str| json!({ "experiment": experiment, "path": path });
    let asked = json!({ "series": [series("MNI-1", "logs/loss"), series("MNI-2", "logs/gain"), series("latest", "logs/note")], "buckets": 100 });
    let answer = server.send("POST", "/overviews", &asked).json();
    let first = &answer["series"][0];
    let counts: u64 = first["count"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!((counts, first["minimum"][0].as_f64(), first["first_step"][0].as_f64()), (10_000, Some(0.0), Some(0.0)));
    assert!(first["count"].as_array().unwrap().len() <= 100);
    for missing in [1, 2] {
        assert_eq!(answer["series"][missing]["count"], json!([]));
    }
    assert_eq!((&first["positive_infinite"], &first["negative_infinite"]), (&json!([]), &json!([])));
    let error = server.send("POST", "/overviews", &json!({ "series": [series("MNI-9", "logs/loss")], "buckets": 1 }));
    assert!(error.problem(404).contains("MNI-9"));
    let none = server.send("POST", "/overviews", &json!({ "series": [series("MNI-1", "logs/loss")], "buckets": 0 }));
    assert_eq!(none.json()["series"][0]["count"], json!([]));
    let many = json!({ "series": vec![series("MNI-1", "logs/loss"); 1_001], "buckets": 1 });
    assert!(server.send("POST", "/overviews", &many).problem(400).contains("1001"));
    // Each of so many has fewer, so that the answer is not larger than a browser can read.
    let wide = json!({ "series": vec![series("MNI-1", "logs/loss"); 1_000], "buckets": 8_192 });
    let wide = server.send("POST", "/overviews", &wide).json();
    let lengths = wide["series"].as_array().unwrap().iter().map(|series| series["count"].as_array().unwrap().len());
    assert!(lengths.clone().all(|length| length <= 2_000) && lengths.count() == 1_000);
}

#[test]
fn timings_are_those_of_the_command_line() {
    let server = Server::new();
    let experiment = server.experiment();
    for (figure, values) in
        [("count", [1.0, 3.0]), ("total", [2.0, 2.0]), ("p50", [4.0, 8.0]), ("p99", [4.0, 9.0]), ("max", [5.0, 10.0])]
    {
        let series = experiment.series::<f64>(&format!("timing/train/step/{figure}")).unwrap();
        for (step, value) in (0..).zip(values) {
            series.append_with(step, neptune_core::Timestamp::from_micros(step), value);
        }
    }
    experiment.stop().unwrap();
    let timings = server.json("/experiments/MNI-1/timings");
    let step = json!({ "path": "train/step", "count": 4.0, "total": 4.0, "mean": 1.0, "p50": 7.0, "p99": 9.0, "max": 10.0, "busy": null, "idle": null });
    assert_eq!(timings, json!({ "spans": [step] }));
}

#[test]
fn a_difference_says_what_and_from_where() {
    let server = Server::new();
    for rate in [0.1, 0.2] {
        let experiment = server.experiment();
        experiment.log_params(&json!({ "rate": rate, "seed": 7 })).unwrap();
        for step in 0..4 {
            experiment.log_metric_at("loss", step, if step < 2 { 1.0 } else { rate });
        }
        experiment.log_metric_at("same", 0, 1.0);
        experiment.stop().unwrap();
    }
    let difference = server.json("/experiments/MNI-1/difference?with=MNI-2");
    assert_eq!(
        (&difference["experiments"], &difference["is_equal"]),
        (&json!({ "a": "MNI-1", "b": "MNI-2" }), &json!(false))
    );
    let parameters = json!({ "name": "parameters", "equal": 1, "differing": [{ "name": "rate", "a": 0.1, "b": 0.2 }] });
    assert_eq!(difference["groups"][0], parameters);
    let loss = json!({ "step": 2.0, "a": 0.1, "b": 0.2, "equal_points": 2, "points_a": 4, "points_b": 4 });
    assert_eq!(difference["series"], json!({ "equal": 1, "differing": [{ "path": "logs/loss", "divergence": loss }] }));
    assert_eq!(server.json("/experiments/MNI-1/difference?with=MNI-1")["is_equal"], json!(true));
    assert!(server.get("/experiments/MNI-1/difference").problem(400).contains("with"));
}
