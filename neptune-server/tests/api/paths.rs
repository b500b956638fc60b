//! Which variables there are, in how many experiments.

use neptune_core::{Experiment, Mode, Session};
use serde_json::{Value, json};

use crate::run::Server;

/// Experiments of a project, one for each function that logs to it.
fn log(server: &Server, project: &str, experiments: &[&dyn Fn(&Experiment)]) {
    for log in experiments {
        let session = Session::builder().folder(server.folder()).project(project).mode(Mode::Embedded).without_code();
        let experiment = session.open().unwrap().experiment().without_console().without_hardware().start().unwrap();
        log(&experiment);
        experiment.stop().unwrap();
    }
}

#[test]
fn variables_are_counted_by_path_and_type_within_the_project() {
    let server = Server::new();
    let number = |experiment: &Experiment| experiment.log_params(&json!({ "mixed": 1 })).unwrap();
    let text = |experiment: &Experiment| experiment.log_params(&json!({ "mixed": "a" })).unwrap();
    let loss = |experiment: &Experiment| experiment.log_metric("loss", 0.5);
    // One that has most of all experiments, one that has some, and one that has few of them.
    log(&server, "ada/most", &[&number, &number, &text, &loss, &loss, &loss, &loss]);
    log(&server, "ada/few", &[&text]);
    let all = server.json("/paths");
    let of = |project: &str| server.json(&format!("/paths?project=ada/{project}"));
    let told = |answer: &Value| {
        let paths = answer["paths"].as_array().unwrap().iter();
        let wanted = |path: &&Value| ["parameters/mixed", "logs/loss"].contains(&path["path"].as_str().unwrap());
        let told = paths.filter(wanted).map(|path| json!([path["path"], path["type"], path["experiments"]]));
        Value::Array(told.collect())
    };
    let (loss, mixed) = ("logs/loss", "parameters/mixed");
    assert_eq!(told(&all), json!([[loss, "Series(float)", 4], [mixed, "Atom(int)", 2], [mixed, "Atom(string)", 2]]));
    assert_eq!(
        told(&of("most")),
        json!([[loss, "Series(float)", 4], [mixed, "Atom(int)", 2], [mixed, "Atom(string)", 1]])
    );
    assert_eq!(told(&of("few")), json!([[mixed, "Atom(string)", 1]]));
    let some = server.json("/paths?experiment=MOS-1&experiment=MOS-4");
    assert_eq!(told(&some), json!([[loss, "Series(float)", 1], [mixed, "Atom(int)", 1]]));
    let names: Vec<_> = all["paths"].as_array().unwrap().iter().map(|path| path["path"].as_str().unwrap()).collect();
    assert!(names.is_sorted(), "{names:?}");
}
