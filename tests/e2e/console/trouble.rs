//! The console when something is short or goes wrong: files, room, a relay that stops, children that stay.

use std::{
    ffi::OsStr,
    fs::File,
    io::{Read as _, Write as _},
    process::{Command, Stdio},
};

use neptune_tests::{Folder, programs, wait_for};

use super::{command, numbered, output, relay_of, stored, text};

/// Has a shell set `limit` and become the program.
fn limited(folder: &Folder, limit: &str, acts: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args([
        "-c",
        &format!("{limit}; exec \"$0\" \"$@\""),
        programs().join("neptune-test-child").to_str().unwrap(),
    ]);
    command.args(["console".as_ref(), folder.path().as_os_str(), OsStr::new("embedded")]).args(acts);
    command.env_remove("NEPTUNE_CONSOLE").stdin(Stdio::null());
    command
}

#[test]
fn bytes_that_are_no_text_reach_where_they_went_as_they_were() {
    let folder = Folder::new();
    let output = output(&folder, &["not-text", "stop"]);
    assert_eq!(output.stdout, b"a\xffb\xe2\x82\n\0c\n");
    assert_eq!(stored(&folder, "stdout"), ["a\u{fffd}b\u{fffd}", "c"]);
}

#[test]
fn a_line_of_a_hundred_million_bytes_is_kept_in_pieces() {
    const BYTES: usize = 100_000_000;
    let folder = Folder::new();
    let output = output(&folder, &[&format!("endless:{BYTES}"), "stop"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(output.stdout.len() == BYTES && output.stdout.iter().all(|byte| *byte == b'x'));
    let pieces = stored(&folder, "stdout");
    let kept: usize = pieces.iter().map(|piece| piece.trim_end_matches('\u{2026}').len()).sum();
    assert_eq!(kept, BYTES, "in {} pieces", pieces.len());
}

#[test]
fn lines_that_come_together_are_not_torn_for_others_who_print_to_the_same_pipe() {
    let folder = Folder::new();
    // A pipe that keeps apart what was written at once.
    let (read, write) =
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC | rustix::pipe::PipeFlags::DIRECT).unwrap();
    let mut command = command(&folder, &["many:20000", "stop"]);
    let mut child = command.stdout(write).spawn().unwrap();
    drop(command);
    let (mut pieces, mut lines, mut read) = (0, 0, File::from(read));
    let mut piece = vec![0; 1 << 16];
    loop {
        let count = read.read(&mut piece).unwrap();
        if count == 0 {
            break;
        }
        assert!(piece[..count].ends_with(b"\n"), "a piece ends in the middle of a line");
        pieces += 1;
        lines += piece[..count].split(|byte| *byte == b'\n').count() - 1;
    }
    assert!(child.wait().unwrap().success());
    assert_eq!(lines, 20_000);
    assert!(pieces < 5_000, "{pieces} pieces");
}

#[test]
fn when_both_streams_go_to_one_file_nothing_of_either_is_lost() {
    let folder = Folder::new();
    let file = folder.path().with_extension("output");
    let output = File::create(&file).unwrap();
    let mut command = command(&folder, &["both:5000", "stop"]);
    let status = command.stdout(output.try_clone().unwrap()).stderr(output).status().unwrap();
    assert!(status.success());
    let expected: Vec<String> = (0..5000).map(numbered).collect();
    // In which order they come there is not promised.
    let printed = std::fs::read_to_string(&file).unwrap();
    assert_eq!(printed.len(), 2 * expected.iter().map(|line| line.len() + 1).sum::<usize>());
    assert_eq!(printed.lines().count(), 10_000);
    assert_eq!((stored(&folder, "stdout"), stored(&folder, "stderr")), (expected.clone(), expected));
}

#[test]
fn a_standard_file_that_was_closed_before_the_start_hurts_nothing() {
    for closed in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"] {
        let folder = Folder::new();
        let output = limited(&folder, &format!("exec {closed}"), &["out:one\n", "err:two\n", "stop"]).output().unwrap();
        assert!(output.status.success(), "{closed}: {:?}", output.status);
        assert_eq!(text(&output.stdout), if closed.contains(" >") || closed.starts_with(">&") { "" } else { "one\n" });
        assert_eq!(text(&output.stderr), if closed.contains("2>") { "" } else { "two\n" }, "{closed}");
        assert_eq!(stored(&folder, "stdout"), ["one"], "{closed}");
        assert_eq!(stored(&folder, "stderr"), ["two"], "{closed}");
    }
}

#[test]
fn a_disk_that_is_full_where_the_output_goes_keeps_no_line_from_the_experiment() {
    let folder = Folder::new();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = command(&folder, &["many:1000", "err:two\n", "stop"]).stdout(full).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(stored(&folder, "stdout").len(), 1000);
}

#[test]
fn a_process_that_may_open_few_files_prints_as_before() {
    let mut started = 0;
    for files in 6..40 {
        let folder = Folder::new();
        let output =
            limited(&folder, &format!("ulimit -n {files}"), &["many:1000", "c:end\n", "stop"]).output().unwrap();
        assert!(output.status.code().is_some(), "with {files} files it died: {:?}", output.status);
        // Where not even the experiment can be started, that is an error that the program is told of.
        if output.status.success() {
            started += 1;
            assert_eq!(text(&output.stdout).lines().count(), 1001, "{files} files: {}", text(&output.stderr));
            let kept = stored(&folder, "stdout").len();
            let said = text(&output.stderr);
            assert!(
                kept == 1001 || said.contains("not kept") || said.contains("is not captured"),
                "{files} files: {kept}, {said}"
            );
        }
    }
    assert!(started > 5, "{started}");
}

#[test]
fn a_process_that_may_write_small_files_alone_is_told_and_not_killed() {
    let folder = Folder::new();
    // In blocks of 512 bytes.
    let output = limited(&folder, "ulimit -f 200", &["out:one\n", "stop"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{:?}", output.status);
    assert!(text(&output.stderr).contains("ulimit -f"), "{}", text(&output.stderr));
}

#[test]
fn a_relay_that_was_stopped_for_a_while_loses_nothing() {
    let folder = Folder::new();
    let mut child = command(&folder, &["out:one\n", "read", "many:5000", "stop"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 4];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    let relay = relay_of(child.id());
    rustix::process::kill_process(relay, rustix::process::Signal::STOP).unwrap();
    child.stdin.take().unwrap().write_all(b"go on\n").unwrap();
    // It is in the pipe.
    let pipe = File::open(format!("/proc/{}/fd/1", child.id())).unwrap();
    wait_for("lines in the pipe", || (rustix::io::ioctl_fionread(&pipe).unwrap() > 10_000).then_some(()));
    drop(pipe);
    rustix::process::kill_process(relay, rustix::process::Signal::CONT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(text(&output.stdout).lines().count(), 5000);
    assert_eq!(stored(&folder, "stdout").len(), 5001);
}

#[test]
fn a_relay_that_is_killed_while_a_thread_waits_in_the_middle_of_a_line_leaves_nobody_waiting() {
    let folder = Folder::new();
    let mut child = command(&folder, &["err:one\n", "err-many:60000", "err:end\n", "stop"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let relay = relay_of(child.id());
    // Nobody reads: the relay waits, and then the program does, with the lock of its standard error.
    let pipe = File::open(format!("/proc/{}/fd/2", child.id())).unwrap();
    let room = u64::try_from(rustix::pipe::fcntl_getpipe_size(&pipe).unwrap()).unwrap();
    wait_for("a full pipe", || (rustix::io::ioctl_fionread(&pipe).unwrap() + 8192 > room).then_some(()));
    drop(pipe);
    rustix::process::kill_process(relay, rustix::process::Signal::KILL).unwrap();
    let errors = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
    assert!(errors.contains("\nend\n") && errors.lines().count() > 30_000, "{}", errors.lines().count());
    assert!(child.wait().unwrap().success());
    assert_eq!(folder.text("sys/state"), "succeeded");
}

#[test]
fn an_experiment_after_the_other_leaves_neither_files_nor_threads_nor_processes() {
    let folder = Folder::new();
    let output = output(&folder, &["stop", "cycles:100", "out:end\n"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lines: Vec<&str> = text(&output.stdout).lines().collect();
    assert_eq!((lines.len(), lines[101]), (102, "end"));
    assert!((0..=100).map(|number| format!("cycle {number}")).eq(lines[..101].iter().map(|line| (*line).to_owned())));
}

#[test]
fn a_child_that_keeps_standard_output_open_neither_holds_up_the_end_nor_loses_a_line() {
    let folder = Folder::new();
    // As the workers of a loader of data, which end when the program does. They print too.
    let worker = "for i in 1 2 3 4 5; do echo worker; done; echo ready >&2; cat";
    let acts =
        [&format!("listening:{worker}")[..], &format!("listening:{worker}"), "many:10000", "pause:1", "out:last\n"];
    let output = output(&folder, &[&acts[..], &["stop", "err:stopped\n"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(!text(&output.stderr).contains("not all that was printed"), "{}", text(&output.stderr));
    let lines = stored(&folder, "stdout");
    let own: Vec<&String> = lines.iter().filter(|line| *line != "worker").collect();
    assert_eq!((own.len(), own[10_000].as_str()), (10_001, "last"));
    assert_eq!(text(&output.stdout).lines().filter(|line| *line == "worker").count(), 10);
}
