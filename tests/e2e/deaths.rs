//! How a writer died is told as well as it is known.

use std::{
    fs,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
};

use neptune_tests::{Folder, Trainer};

const DEAD: &str = "its process ended without stopping it: ";

fn killed(folder: &Folder) {
    let mut trainer = Trainer::start("paced", [folder.path().to_str().unwrap(), "embedded"]);
    assert_eq!(trainer.line(), "0");
    trainer.kill();
}

/// Changes what the writer noted of its process.
fn note(folder: &Folder, change: impl FnOnce(&mut serde_json::Value)) {
    let files = folder.files("process");
    assert_eq!(files.len(), 1);
    let mut noted = serde_json::from_slice(&fs::read(&files[0]).unwrap()).unwrap();
    change(&mut noted);
    fs::write(&files[0], serde_json::to_vec(&noted).unwrap()).unwrap();
}

fn failure(folder: &Folder) -> String {
    folder.session().recover(|_| ()).unwrap();
    assert_eq!(folder.text("sys/state"), "failed");
    folder.text("sys/failure").strip_prefix(DEAD).unwrap().to_owned()
}

#[test]
fn of_a_sigkill_it_is_said_that_it_was_killed() {
    let folder = Folder::new();
    killed(&folder);
    // Somebody else's memory may be full meanwhile.
    note(&folder, |noted| noted["killed"] = serde_json::Value::Null);
    assert_eq!(failure(&folder), "killed, or it crashed");
}

#[test]
fn a_program_that_exits_in_the_middle_is_told_from_one_that_was_killed() {
    let folder = Folder::new();
    let trainer = Trainer::start("exits", [folder.path()]);
    assert_eq!(trainer.wait().code(), Some(3));
    assert_eq!(failure(&folder), "it exited, by `exit` or by the end of `main`");
    assert_eq!(folder.series("logs/loss").len(), 1);
}

#[test]
fn a_machine_that_was_restarted_since_is_noticed() {
    let folder = Folder::new();
    killed(&folder);
    note(&folder, |noted| noted["boot"] = "of another time".into());
    assert!(failure(&folder).starts_with("the machine was restarted since"));
}

#[test]
fn another_machine_is_named() {
    let folder = Folder::new();
    killed(&folder);
    note(&folder, |noted| {
        noted["boot"] = "of another machine".into();
        noted["host"] = "trainer-7".into();
    });
    assert_eq!(failure(&folder), "killed, or it crashed, on another machine (trainer-7)");
}

#[test]
fn kills_of_the_out_of_memory_killer_since_are_told() {
    let folder = Folder::new();
    killed(&folder);
    let events = folder.path().with_file_name("memory.events");
    fs::write(&events, "oom_kill 3\n").unwrap();
    note(&folder, |noted| {
        noted["group"] = events.to_str().unwrap().into();
        noted["killed_in_group"] = 2.into();
    });
    assert!(failure(&folder).starts_with("killed, most likely by the out-of-memory killer, which has killed 1 of"));
}

#[test]
fn a_journal_without_a_note_is_recovered_as_before() {
    for nonsense in [None, Some("{\"host\": 3")] {
        let folder = Folder::new();
        killed(&folder);
        let noted = &folder.files("process")[0];
        match nonsense {
            None => fs::remove_file(noted).unwrap(),
            Some(nonsense) => fs::write(noted, nonsense).unwrap(),
        }
        assert_eq!(failure(&folder), "killed, out of memory, or the machine went down");
    }
}

#[test]
fn a_process_that_takes_more_memory_than_its_group_has_is_told_so() {
    // Needs the right to make a control group, of the first version or the second; without it this tests nothing.
    let Some(group) = small_group("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
        .or_else(|| small_group("/sys/fs/cgroup", "memory.max"))
    else {
        return;
    };
    let folder = Folder::new();
    let mut trainer = Trainer::start("takes-memory", [folder.path(), group.as_path()]);
    let began = trainer.line();
    let status = trainer.wait();
    if began != "ready" {
        // The group may not be entered.
        drop(fs::remove_dir(&group));
        return;
    }
    assert_eq!(status.signal(), Some(9));
    let failure = failure(&folder);
    drop(fs::remove_dir(&group));
    assert!(failure.contains("most likely by the out-of-memory killer"), "{failure}");
    assert_eq!(folder.series("train/loss").len(), 1000);
}

/// A control group with 64 MiB of memory.
fn small_group(groups: &str, limit: &str) -> Option<PathBuf> {
    let group = Path::new(groups).join(format!("neptune-test-{}", std::process::id()));
    fs::create_dir(&group).ok()?;
    // The kernel makes the files; in a folder that only looks like a group there are none.
    let is_group = group.join("cgroup.procs").exists() && group.join(limit).exists();
    if is_group && fs::write(group.join(limit), "67108864").is_ok() {
        // Where there is room on disk for more, it shall not be used.
        fs::write(group.join("memory.swap.max"), "0").ok();
        return Some(group);
    }
    fs::remove_dir(&group).unwrap();
    None
}
