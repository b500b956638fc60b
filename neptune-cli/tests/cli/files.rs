//! What the program does with artifacts, checkpoints, images, histograms and hardware, and with a request to abort.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::mpsc,
};

use neptune_core::{Goal, Histogram, Image, Mode, Session};

use crate::run::{
    Closed,
    beside::{command, json, neptune, printed, said},
    said_by,
};

/// What would clear a screen.
const EVIL: &str = "\u{9b}2J\u{202e}";

fn session(folder: &Path) -> Session {
    Session::builder()
        .folder(folder.join("n"))
        .project("tests/files")
        .mode(Mode::Embedded)
        .without_code()
        .open()
        .unwrap()
}

/// The words of each line, with one space between them.
fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

const SVG: &[u8] = b"<svg xmlns='http://www.w3.org/2000/svg'/>";

/// An experiment with one of everything.
fn with_files(folder: &Path) {
    let experiment = session(folder).experiment().without_hardware().start().unwrap();
    experiment.log_artifact(&[b'x'; 2048][..], Some("report.html")).unwrap();
    experiment.log_artifact(&b"one"[..], Some("data/a.txt")).unwrap();
    experiment.log_artifact(&b"two"[..], Some("data/b/c.txt")).unwrap();
    let checkpoints = experiment.checkpoints("checkpoints").unwrap().goal(Goal::Minimize);
    for (step, loss) in [(1_u64, 0.5), (2, 0.25), (3, 0.75)] {
        let weights = vec![u8::try_from(step).unwrap(); 1024];
        checkpoints
            .save(step, Some(loss), &mut [("model.bin", (&weights[..]).into()), ("deep/state", (&b"s"[..]).into())])
            .unwrap();
    }
    for step in [10_u32, 20] {
        let pixels = vec![u8::try_from(step).unwrap(); 12];
        experiment.log_image_at("wrong", step, Image::from_u8(&pixels, 3, 4, 1).unwrap().name(format!("7{EVIL}")));
    }
    experiment.log_image_at("plot", 5_u32, Image::encoded(SVG).unwrap());
    experiment.log_histogram("weights", &Histogram::of([0.0, 0.25, 1.0, f64::NAN], 4));
    experiment.log_metric("loss", 0.5);
    for (name, value) in [("cpu", 35.0), ("cpu", 85.0), ("ram", 3.0), ("disk/read", 1.0), ("gpu_0/utilization", 90.0)] {
        experiment.series::<f64>(&format!("monitoring/0a1b2c3d/{name}")).unwrap().append(value);
    }
    experiment.atom("monitoring/0a1b2c3d/gpu_0/name").assign(EVIL);
    experiment.stop().unwrap();
}

#[test]
fn the_page_of_an_experiment_tells_files_images_and_hardware_in_few_lines() {
    let folder = tempfile::tempdir().unwrap();
    with_files(folder.path());
    let page = printed(folder.path(), &["show", "FIL-1"]);
    let lines = lines(&page);
    for line in [
        "report.html 2.00 KiB",
        "data/a.txt 3 B",
        "Checkpoints checkpoints",
        "IMAGES POINTS SIZE STEP LAST",
        "logs/wrong 2 4x3 20 7\\u{9b}2J\\u{202e}",
        "HISTOGRAMS POINTS BINS VALUES STEP RANGE",
        "cpu mean 60 %, max 85 %",
        "gpu 0 mean 90 %, max 90 %; \\u{9b}2J\\u{202e}",
    ] {
        assert!(lines.iter().any(|found| found == line), "{line} is missing in:\n{page}");
    }
    let version = |step: &str| lines.iter().find(|line| line.starts_with(step)).unwrap().clone();
    assert!(version("2 0.25 1.00 KiB 2").ends_with(" best"), "{page}");
    assert!(version("3 0.75 1.00 KiB 2").ends_with(" latest"), "{page}");
    assert!(version("logs/weights 1 4 3 ").ends_with(" 0 to 1"), "{page}");
    for hidden in ["completed\"", "disk/read", "artifacts/checkpoints", "monitoring/0a1b2c3d", "sys/"] {
        assert!(!page.contains(hidden), "{hidden} is in:\n{page}");
    }
    let told = json(folder.path(), &["--json", "show", "FIL-1"]);
    assert_eq!(told["variables"]["artifacts/report.html"]["size"], 2048);
    assert_eq!(told["variables"]["checkpoints/2"]["metric"], 0.25);
    let series = told["series"].as_array().unwrap();
    let of = |path: &str| series.iter().find(|series| series["path"] == path).unwrap();
    assert_eq!((&of("logs/wrong")["type"], &of("logs/wrong")["last"]["width"]), (&"image".into(), &4.into()));
    assert_eq!(of("logs/weights")["type"], "histogram");
    assert!(told.to_string().contains("monitoring/0a1b2c3d/disk/read"), "JSON is complete");
}

#[test]
fn many_artifacts_and_versions_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = session(folder.path()).experiment().without_hardware().start().unwrap();
    for number in 0..25 {
        experiment.log_artifact(&b"0123456789"[..], Some(&format!("out/{number:02}.txt"))).unwrap();
    }
    let checkpoints = experiment.checkpoints("ckpt").unwrap();
    for step in 0..15_u64 {
        checkpoints.save(step, None, &mut [("m", (&b"m"[..]).into())]).unwrap();
    }
    checkpoints.mark_best(1).unwrap();
    experiment.stop().unwrap();
    let page = printed(folder.path(), &["show", "FIL-1"]);
    assert!(page.contains("and 15 more; 25 files, 250 B"), "{page}");
    assert!(page.contains("of 15 versions") && page.contains("best") && page.contains("latest"), "{page}");
    assert_eq!(page.lines().filter(|line| line.contains("out/")).count(), 10, "{page}");
}

#[test]
fn tables_and_tails_show_sizes_and_images_on_a_line_each() {
    let folder = tempfile::tempdir().unwrap();
    with_files(folder.path());
    let table = printed(folder.path(), &["ls", "--columns", "artifacts/report.html,logs/weights"]);
    assert!(table.contains("2.00 KiB") && table.contains("3 values in 4 bins, 0 to 1; 1 NaN or infinite"), "{table}");
    let told = json(folder.path(), &["--json", "ls", "--columns", "artifacts/report.html"]);
    assert_eq!(told["experiments"][0]["columns"]["artifacts/report.html"], 2048);
    let tail = printed(folder.path(), &["tail", "FIL-1", "wrong"]);
    assert_eq!(tail.lines().count(), 2, "{tail}");
    assert!(tail.contains("pixels  4x3") && tail.contains("7\\u{9b}2J\\u{202e}"), "{tail}");
    let tail = printed(folder.path(), &["--json", "tail", "FIL-1", "wrong", "-n", "1"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&tail).unwrap()["value"]["width"], 4);
    let all = printed(folder.path(), &["tail", "FIL-1", "-n", "100"]);
    assert!(all.contains("loss") && !all.contains("monitoring/"), "{all}");
}

#[test]
fn artifacts_checkpoints_and_images_are_written_as_files() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| fs::read(folder.path().join(name));
    with_files(folder.path());
    printed(folder.path(), &["get", "FIL-1", "report.html"]);
    assert_eq!(at("report.html").unwrap(), [b'x'; 2048]);
    printed(folder.path(), &["get", "FIL-1", "artifacts/report.html", "--out", "sub/"]);
    assert_eq!(at("sub/report.html").unwrap().len(), 2048);
    printed(folder.path(), &["get", "FIL-1", "data"]);
    assert_eq!((at("data/a.txt").unwrap(), at("data/b/c.txt").unwrap()), (b"one".to_vec(), b"two".to_vec()));
    for (version, step, out) in [("best", 2_u8, "best"), ("latest", 3, "late"), ("1", 1, "first")] {
        printed(folder.path(), &["get", "FIL-1", &format!("checkpoints/{version}"), "--out", out]);
        assert_eq!(at(&format!("{out}/model.bin")).unwrap(), [step; 1024]);
        assert_eq!(at(&format!("{out}/deep/state")).unwrap(), b"s");
    }
    printed(folder.path(), &["get", "FIL-1", "checkpoints/best"]);
    assert_eq!(at("checkpoints-2/model.bin").unwrap(), [2; 1024]);
    printed(folder.path(), &["get", "FIL-1", "checkpoints/3/model.bin"]);
    assert_eq!(at("model.bin").unwrap(), [3; 1024]);
    printed(folder.path(), &["get", "FIL-1", "plot"]);
    assert_eq!(at("plot.svg").unwrap(), SVG);
    let told = json(folder.path(), &["--json", "get", "FIL-1", "wrong", "--step", "10", "--out", "ten.png"]);
    assert_eq!(told["files"][0]["file"], "ten.png");
    assert!(at("ten.png").unwrap().starts_with(b"\x89PNG"));
    printed(folder.path(), &["get", "FIL-1", "artifacts", "--out", "all"]);
    assert_eq!(at("all/checkpoints/1/model.bin").unwrap().len(), 1024);
    let left = walk(folder.path());
    assert!(!left.iter().any(|path| path.to_string_lossy().ends_with(".part")), "{left:?}");
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn what_cannot_be_written_is_named_with_what_is_near() {
    let folder = tempfile::tempdir().unwrap();
    with_files(folder.path());
    let get = |arguments: &[&str], code| said(folder.path(), &[&["get", "FIL-1"], arguments].concat(), code);
    assert!(get(&["reprot.html"], 3).contains("did you mean \"artifacts/report.html\""));
    assert!(get(&["checkpoints/9"], 3).contains("no version \"9\"; it has 1, 2, 3, latest, best"));
    assert!(get(&["wrong", "--step", "12"], 3).contains("no image at step 12; near it are 10 and 20"));
    assert!(get(&["loss"], 2).contains("logs/loss is"));
    assert!(get(&["loss", "--step", "1"], 2).contains("only a series of images has steps"));
    assert!(get(&[EVIL], 3).contains("\\u{9b}2J"));
}

#[test]
fn files_that_are_there_are_replaced_only_when_somebody_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    with_files(folder.path());
    fs::write(&file, "mine").unwrap();
    assert!(said(folder.path(), &["get", "FIL-1", "report.html"], 1).contains("--force"));
    assert!(said(folder.path(), &["get", "FIL-1", "artifacts", "--out", "."], 1).contains("report.html is there"));
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    printed(folder.path(), &["get", "FIL-1", "report.html", "--force"]);
    assert_eq!(fs::read(&file).unwrap().len(), 2048);
    fs::write(&file, "mine").unwrap();
    printed(folder.path(), &["get", "FIL-1", "report.html", "--out", "report.html"]);
    assert_eq!(fs::read(&file).unwrap().len(), 2048);
}

#[cfg(unix)]
fn pipe(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

#[cfg(unix)]
#[test]
fn a_pipe_or_a_device_is_written_where_it_is_named_and_never_replaced() {
    use std::os::unix::fs::FileTypeExt as _;
    let folder = tempfile::tempdir().unwrap();
    with_files(folder.path());
    let is_pipe = |path: &Path| fs::symlink_metadata(path).unwrap().file_type().is_fifo();
    let pipe_of_its_name = pipe(folder.path(), "report.html");
    let refused = said(folder.path(), &["get", "FIL-1", "report.html", "--force"], 1);
    assert!(refused.contains("a device or a pipe") && is_pipe(&pipe_of_its_name), "{refused}");

    let named = pipe(folder.path(), "named");
    for arguments in [&["data/a.txt"][..], &["data", "--zip"]] {
        let arguments = [&["get", "FIL-1"], arguments, &["--out", "named"]].concat();
        let mut getting = command(folder.path(), &arguments).spawn().unwrap();
        // Without this it would wait for a writer for ever, should the program have made a file of the pipe.
        let read = if is_pipe(&named) { fs::read(&named).unwrap() } else { Vec::new() };
        assert!(getting.wait().unwrap().success() && is_pipe(&named));
        assert!(read == b"one" || read.starts_with(b"PK"), "{read:?}");
    }
    fs::write(&objects(folder.path(), b"one")[0], "onf").unwrap();
    let arguments = ["get", "FIL-1", "data/a.txt", "--out", "named"];
    let getting = command(folder.path(), &arguments).stderr(std::process::Stdio::piped()).spawn().unwrap();
    fs::read(&named).unwrap();
    assert!(said_by(getting.wait_with_output().unwrap(), &arguments, 1).contains("is not what was logged"));
}

#[test]
fn what_lies_beside_the_target_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    with_files(folder.path());
    let mine = |name: &str| {
        fs::write(folder.path().join(name), "mine").unwrap();
        folder.path().join(name)
    };
    let parts = ["loss.csv.part", "loss.parquet.part", "all.zip.part", "ls.parquet.part"].map(mine);
    printed(folder.path(), &["export", "FIL-1", "loss", "-o", "loss.csv"]);
    printed(folder.path(), &["export", "FIL-1", "loss", "-o", "loss.parquet"]);
    printed(folder.path(), &["get", "FIL-1", "data", "--zip", "--out", "all.zip"]);
    printed(folder.path(), &["ls", "--parquet", "ls.parquet"]);
    for part in parts {
        assert_eq!(fs::read(&part).unwrap(), b"mine", "{}", part.display());
    }
    assert!(!walk(folder.path()).iter().any(|path| path.to_string_lossy().contains("/.neptune-")), "no part is left");
}

#[cfg(unix)]
#[test]
fn files_are_listed_and_written_out_where_nothing_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    with_files(folder.path());
    let store = folder.path().join("n");
    let Some(_closed) = Closed::new(&store) else { return };
    assert!(printed(folder.path(), &["artifacts", "FIL-1"]).contains("data/a.txt"));
    printed(folder.path(), &["get", "FIL-1", "data/a.txt"]);
    printed(folder.path(), &["get", "FIL-1", "data", "--zip"]);
    printed(folder.path(), &["get", "FIL-1", "--sources", "--out", "code"]);
    assert_eq!(fs::read(folder.path().join("a.txt")).unwrap(), b"one");
    assert!(said(folder.path(), &["delete-artifacts", "FIL-1", "data"], 1).contains("n/store.db"));
}

#[cfg(unix)]
#[test]
fn no_file_is_written_through_a_link_out_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    with_files(folder.path());
    fs::create_dir(folder.path().join("out")).unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("out/b")).unwrap();
    let refused = said(folder.path(), &["get", "FIL-1", "data", "--out", "out", "--force"], 1);
    assert!(refused.contains("is a link"), "{refused}");
    assert!(walk(outside.path()).is_empty());
}

#[test]
fn names_in_a_hostile_store_lead_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    with_files(folder.path());
    let store = rusqlite::Connection::open(folder.path().join("n/store.db")).unwrap();
    let rename = |from: &str, to: &str| {
        assert_eq!(store.execute("UPDATE path SET name = ?2 WHERE name = ?1", [from, to]).unwrap(), 1);
    };
    rename("artifacts/data/b/c.txt", "artifacts/z/../../../evil");
    rename("artifacts/report.html", "artifacts//tmp/neptune-evil");
    let hidden =
        "UPDATE variable SET text = replace(text, 'model.bin', '../../model.bin') WHERE text LIKE '%model.bin%'";
    assert_eq!(store.execute(hidden, []).unwrap(), 3);
    drop(store);
    for path in ["artifacts", "checkpoints/best", "artifacts/z"] {
        let refused = said(folder.path(), &["get", "FIL-1", path, "--out", "a/b", "--force"], 1);
        assert!(refused.contains("is no name for a file"), "{path}: {refused}");
    }
    assert!(!folder.path().join("a").exists(), "nothing was written, not even what is fine");
    assert!(!walk(folder.path()).iter().any(|path| path.ends_with("evil") || path.ends_with("model.bin")));
    printed(folder.path(), &["get", "FIL-1", "/tmp/neptune-evil"]);
    assert!(folder.path().join("neptune-evil").exists(), "in the folder, under its last name");
    printed(folder.path(), &["show", "FIL-1"]);
}

fn hash(content: &[u8]) -> [u8; 32] {
    *blake3::hash(content).as_bytes()
}

/// The files of objects with this content.
fn objects(folder: &Path, content: &[u8]) -> Vec<PathBuf> {
    walk(&folder.join("n/objects")).into_iter().filter(|path| fs::read(path).unwrap() == content).collect()
}

#[test]
fn content_that_is_damaged_or_gone_is_told_and_never_written() {
    let folder = tempfile::tempdir().unwrap();
    with_files(folder.path());
    let object = &objects(folder.path(), b"one")[0];
    fs::write(object, "onf").unwrap();
    assert!(said(folder.path(), &["get", "FIL-1", "data/a.txt"], 1).contains("is not what was logged"));
    assert_eq!(neptune(folder.path(), &["doctor"]).status.code(), Some(0));
    fs::remove_file(object).unwrap();
    for file in walk(&folder.path().join("n/objects")) {
        if file.extension().is_some_and(|ending| ending == "png") {
            fs::remove_file(file).unwrap();
        }
    }
    let missing = said(folder.path(), &["get", "FIL-1", "data/a.txt"], 1);
    assert!(missing.contains("the content of artifacts/data/a.txt of FIL-1 is missing"), "{missing}");
    assert!(said(folder.path(), &["get", "FIL-1", "wrong"], 1).contains("is missing"));
    assert!(!folder.path().join("a.txt").exists() && !folder.path().join("wrong.png").exists());
    let doctor = neptune(folder.path(), &["doctor"]);
    let found = String::from_utf8(doctor.stdout).unwrap();
    assert_eq!(doctor.status.code(), Some(4), "{found}");
    assert!(found.contains("3 objects are missing, of 2 variables of 1 experiment"), "{found}");
    assert!(found.contains("FIL-1  artifacts/data/a.txt\n") && found.contains("FIL-1  logs/wrong (2)\n"), "{found}");
    let told: serde_json::Value =
        serde_json::from_slice(&neptune(folder.path(), &["--json", "doctor"]).stdout).unwrap();
    assert_eq!((&told["healthy"], &told["missing"]["objects"]), (&false.into(), &3.into()));
}

#[test]
fn files_are_listed_packed_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| fs::read(folder.path().join(name));
    with_files(folder.path());
    let table = printed(folder.path(), &["artifacts", "FIL-1", "data"]);
    let hash = neptune_core::ObjectId::from_bytes(hash(b"one")).to_string();
    assert_eq!(lines(&table)[1], format!("3 B data/a.txt {}", &hash[..12]), "{table}");
    assert_eq!(lines(&table).len(), 3, "{table}");
    let told = json(folder.path(), &["--json", "artifacts", "latest"]);
    assert_eq!((told["artifacts"].as_array().unwrap().len(), &told["artifacts"][6]["path"]), (9, &"data/a.txt".into()));
    assert_eq!(told["artifacts"][6]["digest"], hash);
    assert!(said(folder.path(), &["artifacts", "FIL-1", "reprot.html"], 3).contains("did you mean \"report.html\""));
    assert_eq!(json(folder.path(), &["--json", "artifacts", "FIL-1", "--sources"])["sources"], serde_json::json!([]));
    for (arguments, archive) in [
        (&["data", "--zip"][..], "data.zip"),
        (&["artifacts", "--zip"], "artifacts.zip"),
        (&["--zip", "--out", "sub/"], "sub/artifacts.zip"),
        (&["artifacts/report.html", "--zip", "-o", "one"], "one"),
    ] {
        printed(folder.path(), &[&["get", "FIL-1"], arguments].concat());
        assert!(at(archive).unwrap().starts_with(b"PK"), "{archive}");
    }
    assert_eq!(at("artifacts.zip").unwrap(), at("sub/artifacts.zip").unwrap());
    assert!(said(folder.path(), &["get", "FIL-1", "data", "--zip"], 1).contains("--force"));
    assert!(said(folder.path(), &["get", "FIL-1", "dta", "--zip"], 3).contains("did you mean"));
    assert_eq!(neptune(folder.path(), &["get", "FIL-1"]).status.code(), Some(2));
    let delete =
        |arguments: &[&str], code| said(folder.path(), &[&["delete-artifacts", "FIL-1"], arguments].concat(), code);
    assert!(delete(&["data", "reprot.html"], 3).contains("did you mean"));
    assert!(delete(&["data", ""], 2).contains("--all"));
    delete(&[], 2);
    assert_eq!(objects(folder.path(), b"one").len(), 1, "nothing was deleted");
    let told = json(folder.path(), &["--json", "delete-artifacts", "FIL-1", "data", "checkpoints/2/model.bin"]);
    assert_eq!(told["deleted"], 3);
    assert!(objects(folder.path(), b"one").is_empty(), "their room was given back");
    assert!(said(folder.path(), &["get", "FIL-1", "checkpoints/2"], 3).contains("no version"));
    assert!(printed(folder.path(), &["delete-artifacts", "FIL-1", "--all"]).contains("6 files of FIL-1 deleted"));
    assert_eq!(json(folder.path(), &["--json", "artifacts", "FIL-1"])["artifacts"], serde_json::json!([]));
    assert!(printed(folder.path(), &["show", "FIL-1"]).contains("succeeded"), "it does not run again");
}

#[test]
fn sources_are_written_as_files_and_as_an_archive() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| fs::read_to_string(folder.path().join(name));
    let experiment = session(folder.path()).experiment().without_hardware().start().unwrap();
    for (name, content) in [("files/src/main.rs", "fn main() {}"), ("diff/uncommitted.patch", "+ new")] {
        experiment.log_artifact(content.as_bytes(), Some("x")).unwrap();
        let file = experiment.atom("artifacts/x").read().unwrap();
        experiment.atom(&format!("source_code/{name}")).assign(file);
    }
    experiment.stop().unwrap();
    printed(folder.path(), &["get", "FIL-1", "--sources"]);
    assert_eq!(at("sources/src/main.rs").unwrap(), "fn main() {}");
    assert_eq!(at("sources/diff/uncommitted.patch").unwrap(), "+ new");
    printed(folder.path(), &["get", "FIL-1", "src", "--sources", "--out", "only"]);
    assert_eq!(at("only/main.rs").unwrap(), "fn main() {}");
    printed(folder.path(), &["get", "FIL-1", "src/main.rs", "--sources"]);
    assert_eq!(at("main.rs").unwrap(), "fn main() {}");
    printed(folder.path(), &["get", "FIL-1", "--sources", "--zip"]);
    assert!(folder.path().join("sources.zip").exists());
    assert!(said(folder.path(), &["get", "FIL-1", "scr", "--sources"], 3).contains("among the sources"));
}

#[test]
fn the_doctor_reads_the_content_of_every_object_when_it_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    with_files(folder.path());
    let told = json(folder.path(), &["--json", "doctor", "--objects"]);
    assert_eq!((&told["healthy"], &told["content"]["read"]), (&true.into(), &8.into()), "{told}");
    assert_eq!(told["content"]["encoded"], 2, "{told}");
    // Of the same length, so that only its content tells.
    fs::write(&objects(folder.path(), b"one")[0], "onf").unwrap();
    let doctor = neptune(folder.path(), &["doctor", "--objects"]);
    let found = String::from_utf8(doctor.stdout).unwrap();
    assert_eq!(doctor.status.code(), Some(4), "{found}");
    assert!(found.contains("1 object is damaged, of 1 variable of 1 experiment"), "{found}");
    assert!(found.contains("FIL-1  artifacts/data/a.txt\n") && found.contains("from a backup"), "{found}");
    assert_eq!(neptune(folder.path(), &["doctor"]).status.code(), Some(0), "not read, not known");
}

#[test]
fn what_nothing_needs_is_removed_by_gc_and_counted_before() {
    let folder = tempfile::tempdir().unwrap();
    with_files(folder.path());
    let stray = folder.path().join("n/objects").join("ab").join(format!("ab{}", "0".repeat(62)));
    fs::create_dir_all(stray.parent().unwrap()).unwrap();
    fs::write(&stray, [0; 4096]).unwrap();
    let dry = printed(folder.path(), &["gc", "--dry-run"]);
    assert!(dry.contains("1 file that nothing needs would be removed (4.00 KiB)"), "{dry}");
    assert!(stray.exists());
    let told = json(folder.path(), &["--json", "gc"]);
    assert_eq!((&told["objects"], &told["object_bytes"]), (&1.into(), &4096.into()), "{told}");
    assert!(!stray.exists());
    assert_eq!(objects(folder.path(), b"one").len(), 1, "what is needed stays");
    assert!(!printed(folder.path(), &["gc"]).contains("nothing needs"));
}

#[test]
fn an_experiment_that_listens_is_aborted_and_one_that_does_not_run_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = session(folder.path()).experiment().without_hardware().start().unwrap();
    let (tell, told) = mpsc::sync_channel(1);
    experiment.on_abort(move |reason| tell.send(reason.to_owned()).unwrap());
    let runs = folder.path().to_owned();
    let abort = std::thread::Builder::new()
        .name("neptune:test".into())
        .spawn(move || neptune(&runs, &["abort", "FIL-1", "--reason", "too slow", "--wait", "60"]))
        .unwrap();
    let reason = told.recv().unwrap();
    assert_eq!(reason, "too slow");
    experiment.abort(&reason).unwrap();
    let output = abort.join().unwrap();
    let (out, error) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(0), "{out}{error}");
    assert!(out.contains("FIL-1 has ended: aborted") && error.contains("1 process was asked"), "{out}{error}");
    let again = neptune(folder.path(), &["abort", "FIL-1"]);
    assert_eq!(again.status.code(), Some(5));
    assert!(String::from_utf8_lossy(&again.stdout).contains("FIL-1 does not run; its state is aborted"));
    assert!(said(folder.path(), &["abort", "FIL-9"], 3).contains("there is no experiment"));
}

#[test]
fn an_experiment_that_does_not_listen_goes_on_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = session(folder.path()).experiment().without_hardware().start().unwrap();
    let output = neptune(folder.path(), &["abort", "latest", "--wait", "0.3"]);
    let (out, error) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(5), "{out}{error}");
    assert!(out.contains("FIL-1 still runs") && error.contains("on_abort"), "{out}{error}");
    let output = neptune(folder.path(), &["--json", "abort", "latest", "--wait", "0"]);
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["asked"], &told["state"]), (&1.into(), &"running".into()), "{told}");
    experiment.stop().unwrap();
}
