//! The program as people and scripts run it: what it prints, and how it exits.

use std::path::Path;

use neptune_core::{ExperimentHandle, Mode, Session, Timestamp};

use crate::run::{json, neptune, printed, said};

fn session(folder: &Path, mode: Mode) -> Session {
    Session::builder().folder(folder).project("tests/program").mode(mode).without_code().open().unwrap()
}

/// Two experiments: one that succeeded, and one that failed, with a name that would move the cursor.
fn two_experiments(folder: &Path) {
    let session = session(folder, Mode::Embedded);
    let experiment =
        session.experiment().name("first").params(&serde_json::json!({ "rate": 0.25 })).tags(["cnn"]).start().unwrap();
    let loss = experiment.series::<f64>("train/loss").unwrap();
    for step in 1..=100_u32 {
        loss.append_at(step, 1.0 / f64::from(step));
    }
    experiment.log_text("notes", "a line");
    experiment.stop().unwrap();
    session.experiment().name("evil \u{1b}[2J name").start().unwrap().fail("out of memory").unwrap();
}

#[test]
fn a_folder_without_a_store_exits_with_3_and_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let output = neptune(&folder.path().join("none"), &["ls"]);
    assert_eq!(output.status.code(), Some(3));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("log an experiment there first"), "{error}");
    assert!(!folder.path().join("none").exists(), "a reading command makes nothing");
}

#[test]
fn experiments_are_listed_filtered_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    two_experiments(folder.path());
    let table = printed(folder.path(), &["ls"]);
    assert!(table.contains("PRO-1") && table.contains("PRO-2") && table.contains("first"), "{table}");
    assert!(!table.contains('\u{1b}'), "an escape code reached the terminal");
    let filtered =
        json(folder.path(), &["--json", "ls", "--filter", "`train/loss`:float < 0.3 AND sys/tags CONTAINS \"cnn\""]);
    assert!(filtered.to_string().contains("PRO-1") && !filtered.to_string().contains("PRO-2"), "{filtered}");
    let shown = printed(folder.path(), &["show", "PRO-1"]);
    for expected in ["succeeded", "rate", "0.25", "train/loss", "cnn"] {
        assert!(shown.contains(expected), "{expected} is missing in:\n{shown}");
    }
    let failed = printed(folder.path(), &["show", "latest"]);
    assert!(failed.contains("failed") && failed.contains("out of memory"), "{failed}");
    assert!(json(folder.path(), &["--json", "show", "PRO-1"]).to_string().contains("\"train/loss\""));
}

#[test]
fn what_is_not_there_exits_with_3_and_a_wrong_query_with_2() {
    let folder = tempfile::tempdir().unwrap();
    two_experiments(folder.path());
    let missing = neptune(folder.path(), &["show", "PRO-9"]);
    assert_eq!(missing.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("did you mean \"PRO-"));
    let wrong = neptune(folder.path(), &["ls", "--filter", "`train/loss`:floaty < 0.3"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains('^'), "the column is pointed at");
    assert_eq!(neptune(folder.path(), &["lss"]).status.code(), Some(2));
}

#[test]
fn points_are_followed_and_exported() {
    let folder = tempfile::tempdir().unwrap();
    two_experiments(folder.path());
    let tail = printed(folder.path(), &["tail", "PRO-1", "train/loss", "-n", "3"]);
    assert_eq!(tail.lines().filter(|line| line.contains("0.01")).count(), 3, "{tail}");
    assert!(printed(folder.path(), &["tail", "PRO-1", "notes"]).contains("a line"), "a name stands for logs/NAME");
    let csv = printed(folder.path(), &["export", "PRO-1", "train/loss"]);
    assert_eq!(csv.lines().count(), 101);
    let file = folder.path().join("run.parquet");
    printed(folder.path(), &["export", "PRO-1", "-o", file.to_str().unwrap()]);
    assert!(std::fs::read(file).unwrap().starts_with(b"PAR1"));
}

#[test]
fn an_offline_journal_is_reported_by_doctor_and_drained_by_sync() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = session(folder.path(), Mode::Offline).experiment().name("on a plane").start().unwrap();
    experiment.log_metric("loss", 0.5);
    experiment.stop().unwrap();
    let waiting = neptune(folder.path(), &["doctor"]);
    assert_eq!(waiting.status.code(), Some(4), "{}", String::from_utf8_lossy(&waiting.stdout));
    assert!(String::from_utf8_lossy(&waiting.stdout).contains("--repair"));
    let synced = printed(folder.path(), &["sync"]);
    assert!(synced.contains("PRO-1"), "{synced}");
    assert_eq!(neptune(folder.path(), &["doctor"]).status.code(), Some(0));
    assert!(printed(folder.path(), &["ls"]).contains("on a plane"));
    printed(folder.path(), &["gc"]);
    assert!(printed(folder.path(), &["show", "PRO-1"]).contains("logs/loss"));
}

/// The figures of each window, as the tracing layer logs them: all at one time, each series at the step behind its last.
fn log_timings(experiment: &ExperimentHandle, span: &str, windows: &[&[(&str, f64)]]) {
    for window in windows {
        let points = window.iter().map(|(figure, value)| {
            let series = experiment.series::<f64>(&format!("timing/{span}/{figure}")).unwrap();
            (series, *value)
        });
        let points: Vec<_> = points.collect();
        experiment.append_points(None, points.iter().map(|(series, value)| (series, *value)));
    }
}

fn window(count: f64, total: f64, p50: f64, p99: f64) -> [(&'static str, f64); 6] {
    [("count", count), ("total", total), ("mean", total / count), ("p50", p50), ("p99", p99), ("max", 2.0 * p99)]
}

fn timeline(step: u32, seconds: f64) -> String {
    let event = serde_json::json!({
        "ph": "X", "name": "forward\u{9b}2J", "cat": "train/forward", "pid": 1, "tid": 1, "ts": 0.5, "dur": 8.0,
    });
    let thread =
        serde_json::json!({ "ph": "M", "pid": 1, "tid": 1, "name": "thread_name", "args": { "name": "main" } });
    serde_json::json!({
        "traceEvents": [thread, event, event],
        "displayTimeUnit": "ms",
        "otherData": { "step": step, "seconds": seconds, "spansLeftOut": 0 },
    })
    .to_string()
}

/// Steps of a span that were kept, with their seconds, as the tracing layer logs them.
fn log_kept(experiment: &ExperimentHandle, span: &str, steps: &[(u32, f64)]) {
    let series = experiment.series::<String>(&format!("monitoring/steps/{span}")).unwrap();
    for (step, seconds) in steps {
        series.append_at(*step, timeline(*step, *seconds));
    }
}

/// An experiment with all that the tracing layer logs.
fn traced(folder: &Path) {
    let experiment = session(folder, Mode::Embedded).experiment().start().unwrap();
    experiment.log_metric("reward", 0.5);
    // A span may be called as a figure is.
    for span in ["train", "train/count", "train/evil \u{202e}"] {
        log_timings(&experiment, span, &[&window(10.0, 0.5, 0.04, 0.08), &window(30.0, 0.7, 0.02, 0.09)]);
    }
    log_timings(&experiment, "train/step/forward", &[&window(2.0, 0.002_48, 0.001_24, 0.002)]);
    let busy = |count, seconds| [&window(count, seconds, 1.0, 2.0)[..], &[("busy", seconds), ("idle", 1.0)]].concat();
    // Its first window has no call that awaited.
    log_timings(&experiment, "wait", &[&window(5.0, 9.0, 1.0, 2.0), &busy(1.0, 4.0), &busy(3.0, 2.0)]);
    // Not of a span: it lacks a total.
    experiment.series::<f64>("timing/epochs/count").unwrap().append(3.0);
    log_kept(&experiment, "train/epoch/step", &[(12, 0.012), (20, 3.1), (1_000, 0.5)]);
    log_kept(&experiment, "validate/step", &[(20, 0.25), (40, 4.5)]);
    experiment.series::<String>("monitoring/log").unwrap().append("WARN a: b");
    experiment.series::<String>("monitoring/log").unwrap().append("WARN c: d");
    experiment.series::<String>("monitoring/traceback").unwrap().append("thread 'main' panicked");
    experiment.stop().unwrap();
}

#[test]
fn timings_are_a_tree_of_spans_with_the_figures_of_all_windows() {
    let folder = tempfile::tempdir().unwrap();
    traced(folder.path());
    let begins = |arguments: &[&str], beginnings: [&str; 6]| {
        let table = printed(folder.path(), arguments);
        let is_so = table.lines().zip(beginnings).all(|(line, beginning)| line.starts_with(beginning));
        assert!(is_so && table.lines().count() == beginnings.len(), "{arguments:?}:\n{table}");
    };
    let [train, count, evil, forward] = ["train ", "  count ", "  evil \\u{202e} ", "  step/forward "];
    begins(&["timings", "PRO-1"], ["SPAN ", "wait ", train, count, evil, forward]);
    begins(&["timings", "PRO-1", "--sort", "name"], ["SPAN ", train, count, evil, forward, "wait "]);
    let table = printed(folder.path(), &["timings", "PRO-1"]);
    let cells = |line: usize| table.lines().nth(line).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(cells(0), "SPAN COUNT TOTAL MEAN P50 P99 MAX BUSY IDLE");
    assert_eq!(cells(2), "train 40 1.2 s 30 ms 25 ms 90 ms 180 ms");
    assert_eq!(cells(5), "step/forward 2 2.48 ms 1.24 ms 1.24 ms 2 ms 4 ms");

    let told = json(folder.path(), &["--json", "timings", "PRO-1"]);
    let wait = &told[0];
    assert_eq!((&wait["path"], &wait["count"], &wait["total"]), (&"wait".into(), &9.into(), &15.0.into()));
    assert_eq!((&wait["busy"], &wait["idle"]), (&2.5.into(), &1.0.into()), "weighted by the count of their own window");
    assert!(told[1]["busy"].is_null() && told[1]["path"] == "train" && told[1]["p99"] == 0.09, "{told:#}");
    assert_eq!(told.as_array().unwrap().len(), 5);
}

#[test]
fn an_experiment_without_timings_says_how_to_get_some() {
    let folder = tempfile::tempdir().unwrap();
    two_experiments(folder.path());
    for command in ["timings", "trace"] {
        let said = said(folder.path(), &[command, "PRO-1"], 0);
        assert!(said.contains("`neptune_tracing::layer(&experiment)`"), "{said}");
        assert_eq!(json(folder.path(), &["--json", command, "PRO-1"]), serde_json::json!([]));
    }
    assert!(said(folder.path(), &["trace", "PRO-1", "--slowest"], 3).contains("neptune_tracing::layer"));
    assert!(!printed(folder.path(), &["show", "PRO-1"]).contains("Timings"));
}

/// The first `n` words of each line.
fn words(table: &str, n: usize) -> Vec<String> {
    table.lines().map(|line| line.split_whitespace().take(n).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn kept_steps_are_listed_and_written_as_they_were_logged() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = session(folder.path(), Mode::Embedded).experiment().start().unwrap();
    log_kept(&experiment, "train/step", &[(12, 0.012), (20, 3.1), (1_000, 0.5)]);
    experiment.stop().unwrap();
    let list = printed(folder.path(), &["trace", "PRO-1"]);
    assert_eq!(words(&list, 4), ["STEP DURATION SPANS WHEN", "12 12 ms 2", "20 3.1 s 2", "1000 500 ms 2"], "{list}");
    let told = json(folder.path(), &["--json", "trace", "PRO-1"]);
    assert_eq!((&told[2]["step"], &told[2]["seconds"], &told[2]["spans"]), (&1_000.into(), &0.5.into(), &2.into()));
    assert_eq!(told[2]["span"], "train/step", "{told:#}");

    assert_eq!(printed(folder.path(), &["trace", "PRO-1", "--step", "12"]), timeline(12, 0.012) + "\n");
    let file = folder.path().join("step.json");
    let written = said(folder.path(), &["trace", "PRO-1", "--slowest", "-o", file.to_str().unwrap()], 0);
    assert!(written.contains("step 20 of PRO-1") && written.contains("https://ui.perfetto.dev"), "{written}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), timeline(20, 3.1) + "\n");
    assert!(!file.with_extension("json.part").exists());
    assert!(said(folder.path(), &["trace", "PRO-1", "-o", "x"], 2).contains("--slowest"));
}

#[test]
fn steps_of_several_spans_are_one_list_with_the_path_of_each() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = session(folder.path(), Mode::Embedded).experiment().start().unwrap();
    log_kept(&experiment, "validate/step", &[(20, 0.25), (40, 4.5)]);
    log_kept(&experiment, "train/epoch/step", &[(12, 0.012), (20, 3.1), (1_000, 0.5)]);
    log_kept(&experiment, "evil\u{202e}", &[(20, 0.5)]);
    experiment.stop().unwrap();
    let list = printed(folder.path(), &["trace", "PRO-1"]);
    let [title, escaped] = ["STEP SPAN DURATION SPANS WHEN", "20 evil\\u{202e} 500 ms 2"];
    let [train, validate] = ["train/epoch/step", "validate/step"];
    let [slow, quick] = [format!("20 {train} 3.1 s 2"), format!("20 {validate} 250 ms 2")];
    let [first, late, last] =
        [format!("12 {train} 12 ms 2"), format!("40 {validate} 4.5 s 2"), format!("1000 {train} 500 ms 2")];
    assert_eq!(words(&list, 5), [title, &first, escaped, &slow, &quick, &late, &last], "{list}");
    let told = json(folder.path(), &["--json", "trace", "PRO-1"]);
    let spans: Vec<_> = told.as_array().unwrap().iter().map(|kept| kept["span"].as_str().unwrap()).collect();
    assert_eq!(spans, [train, "evil\u{202e}", train, validate, validate, train]);

    let list = printed(folder.path(), &["trace", "PRO-1", "--span", validate]);
    assert_eq!(words(&list, 4), ["STEP DURATION SPANS WHEN", "20 250 ms 2", "40 4.5 s 2"], "one span needs no column");
    let told = json(folder.path(), &["--json", "trace", "PRO-1", "--span", "epoch/step"]);
    assert!(told.as_array().unwrap().iter().all(|kept| kept["span"] == train), "{told:#}");
}

#[test]
fn a_span_is_named_by_its_path_or_by_an_end_that_no_other_has() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = session(folder.path(), Mode::Embedded).experiment().start().unwrap();
    for (span, seconds) in [("train/step", 1.0), ("validate/step", 2.0), ("train/batch", 3.0), ("batch", 4.0)] {
        log_kept(&experiment, span, &[(20, seconds)]);
    }
    experiment.stop().unwrap();
    let of = |name: &str| printed(folder.path(), &["trace", "PRO-1", "--step", "20", "--span", name]);
    assert_eq!(of("validate/step"), timeline(20, 2.0) + "\n");
    assert_eq!(of("batch"), timeline(20, 4.0) + "\n", "what is a whole path is no end of another");
    let refused = |name: &str, code: i32| said(folder.path(), &["trace", "PRO-1", "--span", name], code);
    let several = refused("step", 2);
    assert!(several.contains("\"step\": train/step, validate/step;") && several.contains("--span"), "{several}");
    for unknown in ["tep", "train", "", "x"] {
        let none = refused(unknown, 3);
        assert!(
            none.contains("kept a step") && none.contains("batch, train/batch, train/step, validate/step"),
            "{none}"
        );
    }
    two_experiments(folder.path());
    assert!(said(folder.path(), &["trace", "PRO-2", "--span", "step"], 3).contains("neptune_tracing::layer"));
}

#[test]
fn a_step_that_several_spans_kept_wants_the_span() {
    let folder = tempfile::tempdir().unwrap();
    traced(folder.path());
    let file = folder.path().join("step.json");
    let refused = said(folder.path(), &["trace", "PRO-1", "--step", "20", "-o", file.to_str().unwrap()], 2);
    assert!(refused.contains("step 20 of PRO-1: train/epoch/step, validate/step; choose one with --span"), "{refused}");
    assert!(!file.exists());
    let chosen = |span: &str| printed(folder.path(), &["trace", "PRO-1", "--step", "20", "--span", span]);
    assert_eq!(chosen("validate/step"), timeline(20, 0.25) + "\n");
    assert_eq!(chosen("epoch/step"), timeline(20, 3.1) + "\n");
    assert_eq!(printed(folder.path(), &["trace", "PRO-1", "--step", "40"]), timeline(40, 4.5) + "\n");
    let arguments = ["--json", "trace", "PRO-1", "--step", "40", "-o", file.to_str().unwrap()];
    assert_eq!(json(folder.path(), &arguments)["span"], "validate/step");
}

#[test]
fn the_slowest_step_of_all_spans_is_named() {
    let folder = tempfile::tempdir().unwrap();
    traced(folder.path());
    let slowest = |span: &[&str]| {
        let output = neptune(folder.path(), &[&["trace", "PRO-1", "--slowest"], span].concat());
        assert!(output.status.success(), "{output:?}");
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (written, told) = slowest(&[]);
    assert_eq!(written, timeline(40, 4.5) + "\n");
    assert!(told.contains("the slowest is step 40 of PRO-1 (validate/step)"), "{told}");
    assert_eq!(slowest(&["--span", "epoch/step"]), (timeline(20, 3.1) + "\n", String::new()));
}

#[test]
fn a_step_that_was_not_kept_names_the_nearest_that_were() {
    let folder = tempfile::tempdir().unwrap();
    traced(folder.path());
    let nearest = |step: &str| said(folder.path(), &["trace", "PRO-1", "--step", step], 3);
    assert!(nearest("13").contains("step 13 of PRO-1 was not kept; the nearest that were are 12 and 20"));
    assert!(nearest("21").contains("the nearest that were are 20 and 40"), "of whichever span");
    assert!(nearest("-1").contains("the nearest that was is 12"));
    assert!(nearest("1000.5").contains("the nearest that was is 1000"));
    let of_one = said(folder.path(), &["trace", "PRO-1", "--step", "12", "--span", "validate/step"], 3);
    assert!(of_one.contains("step 12 of PRO-1 (validate/step) was not kept; the nearest that was is 20"), "{of_one}");
}

#[test]
fn timings_and_kept_steps_are_followed_only_by_name() {
    let folder = tempfile::tempdir().unwrap();
    traced(folder.path());
    let tail = printed(folder.path(), &["tail", "PRO-1", "-n", "1000"]);
    assert!(tail.contains("WARN c: d") && tail.contains("reward"), "{tail}");
    assert!(!tail.contains("timing/train") && !tail.contains("monitoring/steps"), "{tail}");
    let named = printed(folder.path(), &["tail", "PRO-1", "monitoring/steps/validate/step"]);
    assert_eq!(named.lines().count(), 2, "{named}");
}

#[test]
fn many_kept_steps_are_each_listed_once() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path(), Mode::Embedded);
    let evenly: Vec<u32> = (0..=600).collect();
    let with_a_gap = (0..700).map(|step| if step < 690 { step } else { 1_000 * step }).collect();
    for kept in [evenly, with_a_gap] {
        let experiment = session.experiment().start().unwrap();
        let steps: Vec<_> = kept.iter().map(|step| (*step, f64::from(*step))).collect();
        log_kept(&experiment, "train/step", &steps);
        experiment.stop().unwrap();
        let told = json(folder.path(), &["--json", "trace", "latest"]);
        let listed: Vec<u64> = told.as_array().unwrap().iter().map(|kept| kept["step"].as_u64().unwrap()).collect();
        assert_eq!(listed, kept.iter().copied().map(u64::from).collect::<Vec<_>>());
        let last = *kept.last().unwrap();
        let slowest = printed(folder.path(), &["trace", "latest", "--slowest"]);
        assert_eq!(slowest, timeline(last, f64::from(last)) + "\n");
    }
}

#[test]
fn text_that_is_no_timeline_is_listed_and_never_written() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = session(folder.path(), Mode::Embedded).experiment().start().unwrap();
    let steps = experiment.series::<String>("monitoring/steps/a/step").unwrap();
    for (step, text) in [(1_u32, "\u{1b}[2J"), (2, "{\"traceEvents\":[{}, \"\u{9b}2J\"]}"), (3, "")] {
        steps.append_at(step, text);
    }
    experiment.stop().unwrap();
    let file = folder.path().join("step.json");
    let slowest = said(folder.path(), &["trace", "PRO-1", "--slowest"], 3);
    assert!(slowest.contains("what was kept of PRO-1 holds no timeline"), "{slowest}");
    for step in ["1", "2", "3"] {
        let refused = said(folder.path(), &["trace", "PRO-1", "--step", step, "-o", file.to_str().unwrap()], 1);
        assert!(refused.contains("is no timeline") && !refused.contains(['\u{1b}', '\u{9b}']), "{refused}");
    }
    assert!(!file.exists());
    assert_eq!(printed(folder.path(), &["trace", "PRO-1"]).lines().count(), 4);
    let told = said(folder.path(), &["trace", "PRO-1"], 0);
    assert!(told.contains("3 texts are no timelines; see `neptune tail PRO-1 monitoring/steps/a/step`"), "{told}");
    assert!(json(folder.path(), &["--json", "trace", "PRO-1"])[0]["seconds"].is_null());
}

#[test]
fn the_page_of_an_experiment_points_to_its_timings_and_does_not_list_them() {
    let folder = tempfile::tempdir().unwrap();
    traced(folder.path());
    let page = printed(folder.path(), &["show", "PRO-1"]);
    for line in [
        "Timings    5 spans; see `neptune timings PRO-1`",
        "Steps      5 kept whole; see `neptune trace PRO-1`",
        "Log        2 lines; see `neptune tail PRO-1 monitoring/log`",
        "Traceback  1 text; see `neptune tail PRO-1 monitoring/traceback`",
    ] {
        assert!(page.lines().any(|found| found == line), "{line} is missing in:\n{page}");
    }
    assert!(!page.contains("monitoring/steps"), "{page}");
    assert!(!page.contains("timing/train") && !page.contains("timing/wait") && !page.contains("traceEvents"), "{page}");
    assert!(page.contains("timing/epochs/count"), "what is no timing of a span is like any other series:\n{page}");
    let told = json(folder.path(), &["--json", "show", "PRO-1"]).to_string();
    assert!(told.contains("timing/train/p50") && told.contains("monitoring/steps/validate/step"), "JSON is complete");
    assert!(printed(folder.path(), &["show", "PRO-1", "--chart", "timing/train/p50"]).contains("timing/train/p50"));
}

#[test]
fn what_was_printed_is_shown_by_time_and_harmless() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = session(folder.path(), Mode::Embedded).experiment().without_console().start().unwrap();
    let [out, err, other] = ["0a1b2c3d/stdout", "0a1b2c3d/stderr", "00000000/stdout"]
        .map(|path| experiment.series::<String>(&format!("monitoring/{path}")).unwrap());
    let at = Timestamp::from_micros;
    out.append_with(0, at(1_000_000), "one \u{1b}[2J");
    err.append_with(0, at(2_000_000), "two");
    out.append_with(1, at(3_000_000), "\tthree");
    experiment.stop().unwrap();
    let shown = printed(folder.path(), &["console", "latest"]);
    let lines: Vec<_> = shown.lines().map(|line| line.split_once("  ").unwrap().1).collect();
    assert_eq!(lines, ["out  one \\u{1b}[2J", "err  two", "out      three"]);
    assert_eq!(printed(folder.path(), &["console", "latest", "--only", "stderr", "--text"]), "two\n");
    assert_eq!(printed(folder.path(), &["console", "latest", "-n", "2", "--text"]), "two\n    three\n");
    let told = printed(folder.path(), &["console", "latest", "--json", "--only", "stdout", "-n", "1"]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((told["line"].as_str(), told["stream"].as_str()), (Some("\tthree"), Some("stdout")));
    assert!(!printed(folder.path(), &["tail", "latest"]).contains("two"), "it is shown where it is asked for");
    drop(other);
}
