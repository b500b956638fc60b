//! What a program prints: kept line by line, however it ends, and it reaches where it went before.

mod trouble;

use std::{
    ffi::OsStr,
    fs::File,
    io::{Read as _, Write as _},
    os::fd::OwnedFd,
    process::{Command, Output, Stdio},
};

use neptune_core::store::Values;
use neptune_tests::{Folder, Trainer, programs, wait_for};
use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

fn command(folder: &Folder, acts: &[&str]) -> Command {
    command_in("embedded", folder, acts)
}

fn command_in(mode: &str, folder: &Folder, acts: &[&str]) -> Command {
    let mut command = Command::new(programs().join("neptune-test-child"));
    command.args(["console".as_ref(), folder.path().as_os_str(), OsStr::new(mode)]).args(acts);
    command.env_remove("NEPTUNE_CONSOLE").stdin(Stdio::null());
    command
}

/// Runs the program to its end, and to that of its relay: to where nobody can print any more.
fn output(folder: &Folder, acts: &[&str]) -> Output {
    command(folder, acts).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

/// The lines that are stored of a stream, of the only process that printed there.
fn stored(folder: &Folder, stream: &str) -> Vec<String> {
    folder.session().recover(|_| ()).unwrap();
    let (store, key) = (folder.store(), folder.only_experiment());
    let variables = store.variables(&key, "monitoring/").unwrap();
    let paths: Vec<_> = variables.into_iter().filter(|it| it.path.ends_with(&format!("/{stream}"))).collect();
    let [path] = paths.as_slice() else {
        assert!(paths.is_empty(), "one process printed");
        return Vec::new();
    };
    let points = store.series(&key, &path.path, f64::NEG_INFINITY..=f64::INFINITY).unwrap();
    assert!(points.times.is_sorted(), "lines have the times at which they ended");
    assert!((0_u32..).zip(&points.steps).all(|(number, step)| f64::from(number) == *step), "lines are numbered");
    match points.values {
        Values::Text(lines) => lines,
        Values::Float(_) => panic!("lines are text"),
    }
}

/// The line that the child prints for a number.
fn numbered(line: u64) -> String {
    format!("line {line} of the training, loss 0.{:06}", line.wrapping_mul(2_654_435_761) % 1_000_000)
}

#[test]
fn what_rust_and_c_and_children_print_is_kept_and_reaches_where_it_went() {
    for mode in ["embedded", "offline"] {
        let folder = Folder::new();
        let acts = [
            "out:one\n",
            "err:wrong\n",
            "sh:echo two; echo worse >&2",
            "c:three\n",
            "unflushed:four",
            "stop",
            "out:!\n",
        ];
        let output = command_in(mode, &folder, &acts).output().unwrap();
        assert!(output.status.success());
        assert_eq!(text(&output.stdout).lines().collect::<Vec<_>>(), ["one", "two", "three", "four!"], "{mode}");
        assert_eq!(text(&output.stderr), "wrong\nworse\n", "{mode}");
        assert_eq!(stored(&folder, "stdout"), ["one", "two", "three", "four"], "{mode}");
        assert_eq!(stored(&folder, "stderr"), ["wrong", "worse"], "{mode}");
        assert_eq!(folder.text("sys/state"), "succeeded", "{mode}");
    }
}

#[test]
fn however_the_process_ends_what_it_printed_is_kept_and_reaches_where_it_went() {
    for end in ["exit", "abort", "panic", "kill", "segv", "term"] {
        let folder = Folder::new();
        let output = output(&folder, &["both:3000", "out:last words", end]);
        assert!(!output.status.success(), "{end}");
        let expected: String = (0..3000).map(|line| numbered(line) + "\n").collect();
        assert_eq!(text(&output.stdout), format!("{expected}last words"), "{end}");
        assert!(text(&output.stderr).starts_with(&expected), "{end}");
        let lines = stored(&folder, "stdout");
        assert_eq!((lines.len(), lines.last().map(String::as_str)), (3001, Some("last words")), "{end}");
        let lines = stored(&folder, "stderr");
        assert!((0..3000).map(numbered).eq(lines[..3000].iter().cloned()), "{end}");
        assert_eq!(lines.iter().any(|line| line.contains("the gradient exploded")), end == "panic", "{end}");
        assert_eq!(folder.text("sys/state"), if end == "term" { "aborted" } else { "failed" }, "{end}");
    }
}

#[test]
fn who_kills_the_group_of_the_process_loses_nothing_that_it_printed() {
    use std::os::unix::process::CommandExt as _;
    let folder = Folder::new();
    let output = command(&folder, &["many:2000", "kill-group"]).process_group(0).output().unwrap();
    assert!(!output.status.success());
    assert_eq!(text(&output.stdout).lines().count(), 2000);
    assert_eq!(stored(&folder, "stdout").len(), 2000);
}

#[test]
fn a_program_that_becomes_another_or_leaves_children_prints_on() {
    let folder = Folder::new();
    let before = output(&folder, &["out:one\n", "exec:echo two; exit 3"]);
    assert_eq!((before.status.code(), text(&before.stdout)), (Some(3), "one\ntwo\n"));
    assert_eq!(stored(&folder, "stdout"), ["one", "two"]);

    let folder = Folder::new();
    // The child prints once the program has ended, which it learns by the end of its standard input.
    let after = output(&folder, &["out:early\n", "listening:cat; echo late", "stop", "out:stopped\n"]);
    assert!(after.status.success());
    assert_eq!(text(&after.stdout), "early\nstopped\nlate\n", "a child goes on printing to where it printed");
    assert_eq!(stored(&folder, "stdout"), ["early"]);
}

#[test]
fn of_the_console_only_what_is_wanted_is_kept() {
    for (setting, stdout, stderr) in [("off", 0, 0), ("stdout", 1, 0), ("stderr", 0, 1), ("all", 1, 1)] {
        let folder = Folder::new();
        let mut command = command(&folder, &["out:one\n", "err:two\n", "stop"]);
        let output = command.env("NEPTUNE_CONSOLE", setting).output().unwrap();
        assert_eq!((text(&output.stdout), text(&output.stderr)), ("one\n", "two\n"), "{setting}");
        assert_eq!((stored(&folder, "stdout").len(), stored(&folder, "stderr").len()), (stdout, stderr), "{setting}");
    }
    let folder = Folder::new();
    let wrong = command(&folder, &["stop"]).env("NEPTUNE_CONSOLE", "some").output().unwrap();
    assert!(text(&wrong.stderr).contains("it is all, stdout, stderr or off"), "{}", text(&wrong.stderr));
}

#[test]
fn whoever_ends_an_experiment_may_hold_the_lock_of_standard_output() {
    let folder = Folder::new();
    let output = output(&folder, &["out:one\n", "lock", "out:two\n", "start", "out:three\n", "stop"]);
    assert_eq!(text(&output.stdout), "one\ntwo\nthree\n");
    assert_eq!(stored(&folder, "stdout"), ["one"], "the second experiment has its own lines");
}

#[test]
fn a_trainer_that_waits_for_its_children_does_not_wait_for_the_relay() {
    let folder = Folder::new();
    let output = output(&folder, &["out:one\n", "sh:true", "pause:50", "wait-for-children", "stop"]);
    assert!(output.status.success());
    assert_eq!(stored(&folder, "stdout"), ["one"]);
}

/// The process that reads what the process `trainer` prints: the one that holds the other end of its standard output.
fn relay_of(trainer: u32) -> rustix::process::Pid {
    let pipe = std::fs::read_link(format!("/proc/{trainer}/fd/1")).unwrap();
    wait_for("the relay", || {
        std::fs::read_dir("/proc").unwrap().find_map(|process| {
            let process = process.ok()?.path();
            let name = std::fs::read_to_string(process.join("comm")).ok()?;
            let holds = || {
                std::fs::read_dir(process.join("fd")).ok()?.find(|file| {
                    file.as_ref().is_ok_and(|file| std::fs::read_link(file.path()).is_ok_and(|found| found == pipe))
                })
            };
            // The child that the trainer started ends when it has made the relay.
            let status = std::fs::read_to_string(process.join("status")).ok()?;
            let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")?.trim().parse::<u32>().ok())?;
            let is_relay = name.trim() == "neptune:console" && parent != trainer && holds().is_some();
            let number = process.file_name()?.to_str()?.parse().ok()?;
            rustix::process::Pid::from_raw(number).filter(|_| is_relay)
        })
    })
}

#[test]
fn when_the_relay_is_killed_the_program_prints_as_before() {
    let folder = Folder::new();
    let mut child = command(&folder, &["out:one\n", "read", "many:20000", "out:end\n", "stop", "out:stopped\n"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 4];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    rustix::process::kill_process(relay_of(child.id()), rustix::process::Signal::KILL).unwrap();
    child.stdin.take().unwrap().write_all(b"go on\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{:?}: {}", output.status, text(&output.stderr));
    let lines: Vec<_> = text(&output.stdout).lines().collect();
    assert_eq!(lines.len(), 20_002, "nothing that was printed behind is lost");
    assert_eq!(lines[20_000..], ["end", "stopped"]);
    assert!(text(&output.stderr).contains("is not kept"), "{}", text(&output.stderr));
    assert_eq!(folder.text("sys/state"), "succeeded");
}

#[test]
fn whoever_waits_for_a_program_that_exits_finds_its_output_whole() {
    for end in ["exit", "leak"] {
        let folder = Folder::new();
        let file = folder.path().with_extension("output");
        let mut command = command(&folder, &["many:100000", "c:by c\n", end]);
        let mut child = command.stdout(File::create(&file).unwrap()).stderr(Stdio::piped()).spawn().unwrap();
        child.wait().unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 100_001, "{end}");
        // The relay is still at the store.
        std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
    }
}

#[test]
fn a_child_that_never_stops_printing_does_not_keep_the_experiment_from_ending() {
    let folder = Folder::new();
    let acts = ["out:one\n", "chatty", "stop", "err:stopped\n"];
    let mut child = command(&folder, &acts).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    // It is read all the time, so that nobody waits for that.
    let reader = std::thread::Builder::new().spawn(move || std::io::copy(&mut stdout, &mut std::io::sink())).unwrap();
    let errors = std::io::read_to_string(stderr).unwrap();
    assert_eq!(errors, "stopped\n", "the end did not come to its deadline");
    assert!(child.wait().unwrap().success());
    reader.join().unwrap().unwrap();
    assert_eq!(stored(&folder, "stdout").first().map(String::as_str), Some("one"));
}

#[test]
fn whoever_stops_reading_stops_the_program_as_before() {
    let folder = Folder::new();
    let mut child = command(&folder, &["out:one\n", "many:1000000", "stop"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut reader = child.stdout.take().unwrap();
    let mut first = [0; 4];
    reader.read_exact(&mut first).unwrap();
    drop(reader);
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success(), "Rust's error for a pipe that nobody reads");
    assert!(text(&output.stderr).contains("Broken pipe"), "{}", text(&output.stderr));
    assert_eq!(stored(&folder, "stdout").first().map(String::as_str), Some("one"));
}

#[test]
fn whoever_does_not_read_keeps_the_end_for_half_of_its_deadline_at_most() {
    let folder = Folder::new();
    let mut child = command(&folder, &["deadline:200", "background-many:60000", "stop", "err:stopped\n", "join"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut errors = String::new();
    // Standard output is not read until the experiment has ended.
    let mut stderr = child.stderr.take().unwrap();
    while !errors.contains("stopped") {
        let mut piece = [0; 256];
        let count = stderr.read(&mut piece).unwrap();
        assert!(count > 0, "{errors}");
        errors += text(&piece[..count]);
    }
    let mut printed = String::new();
    child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    assert_eq!(printed.lines().count(), 60_000, "all of it comes once it is read");
    assert!(child.wait().unwrap().success());
}

/// A terminal of 100 columns: what is read from it, and what a program is given.
fn terminal() -> (File, OwnedFd) {
    let read = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&read).unwrap();
    unlockpt(&read).unwrap();
    resize(&read, 100);
    let name = ptsname(&read, Vec::new()).unwrap();
    let write = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    (File::from(read), write.into())
}

fn resize(terminal: impl rustix::fd::AsFd, columns: u16) {
    tcsetwinsize(terminal, Winsize { ws_row: 30, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
}

/// What is shown on a terminal until nobody has it open; the error at the end says that nobody has.
fn shown(mut terminal: &File) -> String {
    let mut shown = Vec::new();
    std::io::copy(&mut terminal, &mut shown).ok();
    String::from_utf8(shown).unwrap()
}

#[test]
fn a_terminal_stays_a_terminal_with_its_size_and_what_is_drawn_on_it() {
    let folder = Folder::new();
    let (screen, given) = terminal();
    let acts = [
        "terminal",
        "size",
        "out:\x1b[31m10%\x1b[0m\r100%\n",
        "out:\x1b[?1049hdrawn\n\x1b[?1049l",
        "out:half a line",
        "stop",
        "out:\nend\n",
    ];
    let mut command = command(&folder, &acts);
    command.stdout(given.try_clone().unwrap()).stderr(given);
    let mut child = command.spawn().unwrap();
    drop(command);
    let shown = shown(&screen);
    assert!(child.wait().unwrap().success());
    let expected =
        "terminal true\ncolumns 100\n\x1b[31m10%\x1b[0m\r100%\n\x1b[?1049hdrawn\n\x1b[?1049lhalf a line\nend\n";
    assert_eq!(shown, expected.replace('\n', "\r\n"), "what the terminal itself does with a newline");
    assert_eq!(stored(&folder, "stdout"), ["terminal true", "columns 100", "100%", "half a line"]);
}

#[test]
fn a_terminal_that_changes_its_size_does_so_for_the_program() {
    let folder = Folder::new();
    let (screen, given) = terminal();
    let mut command = command(&folder, &["out:one\n", "wait-for-columns:77", "stop"]);
    command.stdout(given.try_clone().unwrap()).stderr(given);
    let mut child = command.spawn().unwrap();
    drop(command);
    let mut first = [0; 5];
    (&screen).read_exact(&mut first).unwrap();
    resize(&screen, 77);
    assert!(shown(&screen).contains("columns 77"));
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_program_that_prints_nothing_logs_nothing() {
    let folder = Folder::new();
    assert!(output(&folder, &["stop"]).status.success());
    assert!(stored(&folder, "stdout").is_empty());
    assert_eq!(folder.store().writers(&folder.only_experiment()).unwrap().len(), 1, "the relay opened nothing");
}

#[test]
fn no_process_and_no_file_is_left_over() {
    let folder = Folder::new();
    let mut trainer = Trainer::start(
        "console",
        [folder.path().as_os_str(), "embedded".as_ref(), "files".as_ref(), "stop".as_ref(), "files".as_ref()],
    );
    let files = |line: String| line.strip_prefix("files ").unwrap().parse::<usize>().unwrap();
    let (with, without) = (files(trainer.line()), files(trainer.line()));
    assert!(without < with, "{without} files are open behind {with}");
    assert!(trainer.wait().success());
    assert_eq!(folder.files(".jnl").len(), 0);
}

#[test]
fn a_million_lines_are_kept_and_reach_where_they_went() {
    let folder = Folder::new();
    let output = output(&folder, &["many:1000000", "stop"]);
    let lines = stored(&folder, "stdout");
    assert_eq!(lines.len(), 1_000_000);
    for (number, (kept, printed)) in (0..).zip(lines.iter().zip(text(&output.stdout).lines())) {
        let expected = numbered(number);
        assert!(*kept == expected && printed == expected, "{kept:?} and {printed:?} are not {expected:?}");
    }
}
