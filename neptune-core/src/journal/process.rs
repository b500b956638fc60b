//! [`Process`]: what a writer notes of its process when it begins, so that whoever finds it dead can say more of how it died.
//!
//! No heartbeat is needed to tell life from death: the lock of the journal does. This is for the reason only, and a part of it
//! that cannot be read is left out.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// The machine and its state, as of a moment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Process {
    pub(crate) host: String,
    pub(crate) pid: u32,
    /// Whether the writer only edits: it is no part of the run, and nobody to be asked to abort it.
    pub(crate) edits: bool,
    /// Names the time since the machine was started last.
    pub(crate) boot: Option<String>,
    /// How many processes the out-of-memory killer has killed on the machine since then.
    pub(crate) killed: Option<u64>,
    /// The file that says how many it has killed of the control group of the process.
    pub(crate) group: Option<PathBuf>,
    /// How many those were.
    pub(crate) killed_in_group: Option<u64>,
}

impl Process {
    /// Of this process, now.
    pub(crate) fn now() -> Self {
        let group = group();
        Self {
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            pid: std::process::id(),
            edits: false,
            boot: boot(),
            killed: counter(Path::new("/proc/vmstat")),
            killed_in_group: group.as_deref().and_then(counter),
            group,
        }
    }

    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        fs::write(path, serde_json::to_vec(self)?)
    }

    /// What was noted in the file at `path`, if anything.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        /// More than a note of ours has.
        const MOST: u64 = 64 << 10;
        fs::metadata(path).ok().filter(|file| file.len() <= MOST)?;
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }

    /// Why the process that noted this may have died, as far as this machine can tell.
    pub(crate) fn cause(&self) -> String {
        let now = Self::now();
        let is_same_boot = match (&self.boot, &now.boot) {
            (Some(then), Some(now)) => then == now,
            _ => self.host == now.host,
        };
        if !is_same_boot && self.host != now.host {
            return format!("killed, or it crashed, on another machine ({})", self.host);
        }
        if !is_same_boot {
            return "the machine was restarted since, which killed it if nothing did before".to_owned();
        }
        let since = |then: Option<u64>, now: Option<u64>| now?.checked_sub(then?).filter(|since| *since > 0);
        if let Some(killed) = since(self.killed_in_group, self.group.as_deref().and_then(counter)) {
            return format!(
                "killed, most likely by the out-of-memory killer, which has killed {killed} of its control group since it began"
            );
        }
        if let Some(killed) = since(self.killed, now.killed) {
            return format!(
                "killed, perhaps by the out-of-memory killer, which has killed {killed} on this machine since it began"
            );
        }
        "killed, or it crashed".to_owned()
    }
}

/// From proc(5): changes with each start of the machine.
fn boot() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(boot.trim().to_owned()).filter(|boot| !boot.is_empty())
}

/// The number behind the word `oom_kill`: in /proc/vmstat, in memory.events of a control group, in memory.oom_control of one
/// of the first version.
fn counter(file: &Path) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

/// The file of the control group of this process that [`counter`] reads.
fn group() -> Option<PathBuf> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let file = |line: &str| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?.trim_start_matches('/'));
        let file = match controllers {
            "" => Path::new("/sys/fs/cgroup").join(path).join("memory.events"),
            _ if controllers.split(',').any(|controller| controller == "memory") => {
                Path::new("/sys/fs/cgroup/memory").join(path).join("memory.oom_control")
            }
            _ => return None,
        };
        counter(&file).map(|_| file)
    };
    groups.lines().find_map(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_the_best_that_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let group = folder.path().join("memory.events");
        fs::write(&group, "low 0\noom 3\noom_kill 2\noom_group_kill 0\n").unwrap();
        let now = Process::now();
        let same = Process { killed_in_group: Some(2), group: Some(group), ..now.clone() };
        assert_eq!(same.cause(), "killed, or it crashed");
        let restarted = Process { boot: Some("another".into()), ..same.clone() };
        assert_eq!(restarted.cause().contains("restarted"), now.boot.is_some());
        let elsewhere = Process { host: "far-away".into(), boot: Some("another".into()), ..same.clone() };
        assert!(elsewhere.cause().contains("another machine (far-away)"), "{}", elsewhere.cause());
        // A container that was made anew on the machine has another name.
        let container = Process { host: "far-away".into(), ..same.clone() };
        assert_eq!(container.cause().contains("another machine"), now.boot.is_none());
        let group = Process { killed_in_group: Some(0), ..same.clone() };
        assert!(group.cause().contains("has killed 2 of its control group"), "{}", group.cause());
        if let Some(killed @ 1..) = now.killed {
            let machine = Process { killed: Some(killed - 1), ..same };
            assert!(machine.cause().contains("has killed 1 on this machine"), "{}", machine.cause());
        }
    }

    #[test]
    fn a_note_is_read_as_it_was_written_and_nonsense_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("process");
        assert_eq!(Process::read(&path), None);
        let now = Process::now();
        now.write(&path).unwrap();
        assert_eq!(Process::read(&path), Some(now));
        fs::write(&path, "{").unwrap();
        assert_eq!(Process::read(&path), None);
        fs::write(&path, r#"{"host":"h","later":1}"#).unwrap();
        assert_eq!(Process::read(&path).unwrap().host, "h");
    }
}
