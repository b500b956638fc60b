//! The API is what its description says.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::{
    http::{Answer, escaped},
    run::Server,
};

/// A store in which every address finds something, and a value of every kind.
fn filled() -> Server {
    let server = Server::new();
    for number in 0..2_u32 {
        let experiment = server.experiment();
        experiment.set_name("first try");
        experiment.set_description("what it is for");
        let large = i64::MAX;
        experiment
            .log_params(&json!({ "rate": 0.1, "layers": 3 + number, "name": "a", "is_on": true, "large": large }))
            .unwrap();
        experiment.add_tags(["good"]);
        for step in 0..5 {
            experiment.log_metric_at("loss", step, f64::from(step * number));
        }
        // A point that is kept as it is, and one that is counted as lost.
        let only = if number == 0 { "logs/only" } else { "logs/other" };
        experiment.series::<f64>(only).unwrap().append(f64::NAN);
        experiment.log_metric("loss", f64::NAN);
        experiment.log_text("note", "a");
        if number == 0 {
            experiment.log_metric("typed", 1.0);
        } else {
            experiment.log_text("typed", "a");
        }
        let source = server.folder().join("source");
        std::fs::write(&source, "content").unwrap();
        experiment.log_artifact(&*source, Some("a.txt")).unwrap();
        experiment.series::<String>("monitoring/0a1b2c3d/stdout").unwrap().append("a line");
        experiment.series::<String>("monitoring/0a1b2c3d/stdout").unwrap().append("another");
        for figure in ["count", "total", "mean", "p50", "p99", "max", "busy", "idle"] {
            experiment.series::<f64>(&format!("timing/train/{figure}")).unwrap().append(2.0);
        }
        if number == 0 {
            experiment.fail("it diverged").unwrap();
        } else {
            experiment.stop().unwrap();
        }
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
        "/experiments" => {
            "?column=logs/loss&column=sys/tags&column=logs/only&column=parameters/large&column=artifacts/a.txt"
        }
        _ => "",
    }
}

/// What is sent to an address that takes a document.
fn document_of(path: &str) -> Value {
    match path {
        "/overviews" => json!({ "series": [{ "experiment": "MNI-1", "path": "logs/loss" }], "buckets": 3 }),
        "/experiments/{id}" => json!({ "name": "renamed" }),
        _ => json!({}),
    }
}

/// An answer to an address of the description, as it is meant, of experiment `id`.
fn asked(server: &Server, method: &str, path: &str, id: &str) -> Answer {
    let target = format!("{}{}", path.replace("{id}", &escaped(id)), if method == "GET" { query_of(path) } else { "" });
    if method == "GET" { server.get(&target) } else { server.send(method, &target, &document_of(path)) }
}

/// An answer that is not the usual one of an address.
fn provoked(server: &Server, status: u16, method: &str, path: &str) -> Answer {
    let first = |rest: &str| server.get(&format!("/experiments/MNI-1{rest}"));
    match (status, method, path) {
        (404, "GET", "/paths") => server.get("/paths?project=ada/none"),
        (404, ..) => asked(server, method, path, "MNI-11"),
        (400, "GET", "/experiments") => server.get("/experiments?filter=loss%20%3E"),
        (400, "GET", "/experiments/{id}/console") => first("/console?after=nowhere"),
        (400, "GET", "/experiments/{id}/file") => first("/file?path=logs/loss"),
        (400, "POST", "/overviews") => {
            let series = vec![json!({ "experiment": "MNI-1", "path": "logs/loss" }); 1_001];
            server.send(method, path, &json!({ "series": series, "buckets": 3 }))
        }
        (304, "GET", "/experiments/{id}/file") => {
            let target = "/api/v1/experiments/MNI-1/file?path=artifacts/a.txt";
            server.ask(method, target, &[("If-None-Match", "*")], "")
        }
        _ => panic!("{method} {path} is described with {status}, and nothing here makes it answer so"),
    }
}

/// Every method of every address, with its description. What changes something comes last.
fn all(document: &Value) -> Vec<(String, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let all = paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, described)| (method.to_uppercase(), path.as_str(), described))
    });
    let mut all: Vec<_> = all.filter(|(_, path, _)| *path != "/live").collect();
    all.sort_by_key(|(method, path, _)| (method != "GET", path.ends_with("/trash"), path.ends_with("/restore")));
    all
}

#[test]
fn every_address_answers_as_it_is_described_with_every_status_and_every_field() {
    let server = filled();
    let document = server.json("/openapi.json");
    assert!(document["openapi"].as_str().unwrap().starts_with('3'));
    let all = all(&document);
    assert!(all.len() >= 17, "{all:?}");
    let mut seen = BTreeSet::new();
    for (method, path, described) in all {
        let at = format!("{method} {path}");
        for (status, described) in described["responses"].as_object().unwrap() {
            // 503 is answered while other archives are written: see the tests of archives.
            let Ok(status) = status.parse::<u16>() else { continue };
            if status == 503 {
                continue;
            }
            let is_usual = (200..300).contains(&status);
            let answer = if is_usual {
                asked(&server, &method, path, "MNI-1")
            } else {
                provoked(&server, status, &method, path)
            };
            assert_eq!(answer.status, status, "{at}: {}", answer.text());
            let Some(content) = described["content"].as_object() else {
                assert!(answer.body.is_empty(), "{at}: {}", answer.text());
                continue;
            };
            let (kind, media) = content.iter().next().unwrap();
            assert_eq!(answer.header("content-type").split(';').next().unwrap(), kind, "{at}");
            if kind == "application/json" {
                assert_eq!(misfit(&document, &media["schema"], &answer.json(), &mut seen), None, "{at}");
            }
        }
        assert_documented(described, path);
    }
    for target in [
        "/experiments/MNI-1/difference?with=MNI-2",
        "/experiments/MNI-1/console?limit=1",
        "/experiments/MNI-1/points?path=logs/only",
        "/experiments/MNI-1/points?path=logs/note",
    ] {
        let path = target.split('?').next().unwrap().replace("MNI-1", "{id}");
        let schema = &document["paths"][&*path]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        assert_eq!(misfit(&document, schema, &server.json(target), &mut seen), None, "{target}");
    }
    assert_eq!(unseen(&document, &seen), [] as [String; 0], "fields that no answer has, or no test looks at");
}

/// The parameters that are in the path are described, and so is what goes wrong.
fn assert_documented(described: &Value, path: &str) {
    let parameters = described["parameters"].as_array().cloned().unwrap_or_default();
    let in_path = parameters.iter().filter(|parameter| parameter["in"] == "path").count();
    assert_eq!(in_path, path.matches('{').count(), "{path}");
    assert!(!path.contains("{id}") || described["responses"].get("404").is_some(), "{path}");
    let problem = &described["responses"]["default"]["content"]["application/json"]["schema"]["$ref"];
    assert_eq!(problem, "#/components/schemas/Problem", "{path}");
    assert!(described["summary"].is_string() || described["description"].is_string(), "{path}");
}

/// Fields of what is answered that have never been seen. What is sent has its fields by name in its type.
fn unseen(document: &Value, seen: &BTreeSet<String>) -> Vec<String> {
    const SENT: [&str; 5] = ["Change", "Reason", "Nothing", "Wanted", "Named"];
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let answered = schemas.iter().filter(|(name, _)| !SENT.contains(&name.as_str()));
    let fields = answered.flat_map(|(name, schema)| {
        let fields = schema["properties"].as_object().into_iter().flatten();
        fields.map(move |(field, _)| format!("{name}.{field}"))
    });
    fields.filter(|field| !seen.contains(field)).collect()
}

/// Why a value does not fit its schema: it lacks a field, has another one, or is of another type. `seen` gets `Schema.field` of
/// every field that it has.
fn misfit(document: &Value, schema: &Value, value: &Value, seen: &mut BTreeSet<String>) -> Option<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let Some(named) = document.pointer(name.trim_start_matches('#')) else { return Some(format!("no {name}")) };
        if let Value::Object(fields) = value {
            let name = name.rsplit('/').next().unwrap();
            seen.extend(
                fields.iter().filter(|(_, field)| !field.is_null()).map(|(field, _)| format!("{name}.{field}")),
            );
        }
        return misfit(document, named, value, seen);
    }
    if let Some(choices) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
        let misfits: Vec<_> = choices.iter().map_while(|choice| misfit(document, choice, value, seen)).collect();
        return (misfits.len() == choices.len()).then(|| misfits.join("; "));
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        kind => kind.as_str().into_iter().collect(),
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is_of_kind = kinds.contains(&kind) || (kind == "integer" && kinds.contains(&"number"));
    if !is_of_kind {
        return Some(format!("{value:.80} is not {kinds:?}"));
    }
    if let Some(words) = schema["enum"].as_array().filter(|words| !words.contains(value)) {
        return Some(format!("{value} is none of {words:?}"));
    }
    match value {
        Value::Object(fields) => misfit_of_fields(document, schema, fields, seen),
        Value::Array(values) => values.iter().find_map(|value| misfit(document, &schema["items"], value, seen)),
        _ => None,
    }
}

fn misfit_of_fields(
    document: &Value,
    schema: &Value,
    fields: &Map<String, Value>,
    seen: &mut BTreeSet<String>,
) -> Option<String> {
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut missing = required.filter(|name| !fields.contains_key(*name));
    if let Some(name) = missing.next() {
        return Some(format!("{name} is missing"));
    }
    fields.iter().find_map(|(name, field)| {
        let described = schema["properties"].get(name).or_else(|| schema.get("additionalProperties"));
        let Some(described) = described else { return Some(format!("{name} is not described")) };
        Some(format!("{name}: {}", misfit(document, described, field, seen)?))
    })
}

#[test]
fn what_is_not_there_is_said_with_the_nearest() {
    let server = filled();
    let document = server.json("/openapi.json");
    for (method, path, _) in all(&document).into_iter().filter(|(_, path, _)| path.contains("{id}")) {
        let of = |id: &str| asked(&server, &method, path, id);
        let message = of("MNI-11").problem(404);
        assert!(message.contains("\"MNI-11\"") && message.contains("did you mean \"MNI-1\""), "{path}: {message}");
        let unknown = "00000000-0000-7000-8000-000000000000";
        let message = of(unknown).problem(404);
        assert!(message.contains(unknown), "{path}: {message}");
        for odd in ["", " ", "../MNI-1", "MNI-99999999999999999999", "<b>", "\0"] {
            let answer = of(odd);
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

#[test]
fn whatever_is_asked_wrongly_is_answered_with_a_problem() {
    let server = filled();
    let document = server.json("/openapi.json");
    for (method, path, _) in all(&document) {
        let target = format!("/api/v1{}", path.replace("{id}", "MNI-1"));
        let broken = format!("/api/v1{}", path.replace("{id}", "%ff"));
        let json = [("Content-Type", "application/json")];
        for other in ["DELETE", "PUT", "BREW"] {
            let message = server.ask(other, &target, &json, "{}").problem(405);
            assert!(message.contains(other) && message.contains("openapi.json"), "{path}: {message}");
        }
        if path.contains("{id}") {
            assert!(server.ask(&method, &broken, &json, "{}").problem(400).contains("id"), "{path}");
        }
        if method != "GET" {
            server.ask(&method, &target, &[], "{}").problem(415);
            server.ask(&method, &target, &json, "{").problem(400);
            server.ask(&method, &target, &json, "7").problem(422);
        }
    }
}
