//! The API is what its description says.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::{http::escaped, run::Server};

/// A store in which every address finds something.
fn filled() -> Server {
    let server = Server::new();
    for _ in 0..2 {
        let experiment = server.experiment();
        experiment.set_name("first try");
        experiment.log_params(&json!({ "rate": 0.1, "layers": 3, "name": "a", "is_on": true })).unwrap();
        experiment.add_tags(["good"]);
        for step in 0..5 {
            experiment.log_metric_at("loss", step, f64::from(step));
        }
        let source = server.folder().join("source");
        std::fs::write(&source, "content").unwrap();
        experiment.log_artifact(&*source, Some("a.txt")).unwrap();
        experiment.series::<String>("monitoring/0a1b2c3d/stdout").unwrap().append("a line");
        for figure in ["count", "total", "p50"] {
            experiment.series::<f64>(&format!("timing/train/{figure}")).unwrap().append(2.0);
        }
        experiment.stop().unwrap();
    }
    server
}

/// What a GET of a path needs besides the experiment.
fn query_of(path: &str) -> &'static str {
    match path {
        "/experiments/{id}/points" => "?path=logs/loss",
        "/experiments/{id}/file" => "?path=artifacts/a.txt",
        "/experiments/{id}/zip" => "?what=artifacts",
        "/experiments/{id}/difference" => "?with=MNI-2",
        "/experiments" => "?column=logs/loss&column=sys/tags",
        _ => "",
    }
}

fn gets(document: &Value) -> Vec<(&String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .filter_map(|(path, methods)| Some((path, methods.get("get")?)))
        .filter(|(path, _)| *path != "/live")
        .collect()
}

#[test]
fn every_address_answers_as_it_is_described() {
    let server = filled();
    let document = server.json("/openapi.json");
    assert!(document["openapi"].as_str().unwrap().starts_with('3'));
    let gets = gets(&document);
    assert!(gets.len() >= 12, "{gets:?}");
    for (path, described) in gets {
        let answer = server.get(&format!("{}{}", path.replace("{id}", "MNI-1"), query_of(path)));
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let content = described["responses"]["200"]["content"].as_object().unwrap();
        let (kind, media) = content.iter().next().unwrap();
        assert_eq!(answer.header("content-type"), kind, "{path}");
        if kind == "application/json" {
            fits(&document, &media["schema"], &answer.json(), path);
        }
        assert_documented(described, path);
    }
    let wanted = json!({ "series": [{ "experiment": "MNI-1", "path": "logs/loss" }], "buckets": 3 });
    let schema = &document["paths"]["/overviews"]["post"]["responses"]["200"]["content"]["application/json"]["schema"];
    fits(&document, schema, &server.send("POST", "/overviews", &wanted).json(), "/overviews");
}

/// The parameters that are in the path are described, and so is what goes wrong.
fn assert_documented(described: &Value, path: &str) {
    let parameters = described["parameters"].as_array().cloned().unwrap_or_default();
    let in_path = parameters.iter().filter(|parameter| parameter["in"] == "path").count();
    assert_eq!(in_path, path.matches('{').count(), "{path}");
    assert!(!path.contains("{id}") || described["responses"].get("404").is_some(), "{path}");
    assert!(described["summary"].is_string() || described["description"].is_string(), "{path}");
}

/// Whether a value has the fields of its schema and no other. A schema that leaves the choice is fitted by what fits one.
fn fits(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let named = document.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("{name} is not described"));
        return fits(document, named, value, at);
    }
    if schema.get("oneOf").is_some() || schema.get("anyOf").is_some() {
        return;
    }
    match value {
        Value::Object(fields) => {
            let none = Map::new();
            let described = schema["properties"].as_object().unwrap_or(&none);
            for (name, field) in fields {
                let schema = described.get(name).or_else(|| schema.get("additionalProperties"));
                let schema = schema.unwrap_or_else(|| panic!("{at}.{name} is not described: {schema:?}"));
                fits(document, schema, field, &format!("{at}.{name}"));
            }
            let required: BTreeSet<&str> =
                schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            for name in required {
                assert!(fields.contains_key(name), "{at}.{name} is missing");
            }
        }
        Value::Array(values) => values.iter().for_each(|value| fits(document, &schema["items"], value, at)),
        _ => {}
    }
}

#[test]
fn what_is_not_there_is_said_with_the_nearest() {
    let server = filled();
    let document = server.json("/openapi.json");
    for (path, _) in gets(&document).into_iter().filter(|(path, _)| path.contains("{id}")) {
        let message = server.get(&format!("{}{}", path.replace("{id}", "MNI-11"), query_of(path))).problem(404);
        assert!(message.contains("\"MNI-11\"") && message.contains("did you mean \"MNI-1\""), "{path}: {message}");
        let unknown = "00000000-0000-7000-8000-000000000000";
        let message = server.get(&format!("{}{}", path.replace("{id}", unknown), query_of(path))).problem(404);
        assert!(message.contains(unknown), "{path}: {message}");
        for odd in ["", " ", "../MNI-1", "MNI-99999999999999999999", "<b>", "\0"] {
            let answer = server.get(&format!("{}{}", path.replace("{id}", &escaped(odd)), query_of(path)));
            assert!((400..500).contains(&answer.status) || odd.is_empty(), "{path} of {odd:?}: {}", answer.text());
        }
    }
    for (path, near) in [
        ("/experiments/MNI-1/points?path=logs/los", "\"logs/loss\""),
        ("/experiments/MNI-1/difference?with=MNI-22", "\"MNI-2\""),
        ("/experiments?project=ada/mnis", "ada/mnist"),
        ("/paths?project=ada/mnis", "ada/mnist"),
    ] {
        let message = server.get(path).problem(404);
        assert!(message.contains(near), "{path}: {message}");
    }
    for path in ["", "/", "/nothing", "/experiments/MNI-1/nothing", "/experiments/"] {
        assert!(server.get(path).problem(404).contains("/api/v1/openapi.json"), "{path}");
    }
}
