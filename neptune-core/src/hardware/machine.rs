//! The processor, memory, disks and network of this machine, and this process's part of them.
//!
//! What is needed again is kept between readings; only what is logged is asked for.

use std::{
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use sysinfo::{MemoryRefreshKind, Pid, Process, ProcessRefreshKind, ProcessesToUpdate, System};

use super::{
    names,
    reading::{Reading, gigabytes},
    traffic::Traffic,
};
use crate::clock;

/// What is asked about the machine, and what it said the last time: rates are differences.
pub(super) struct Machine {
    system: System,
    traffic: Traffic,
    me: Pid,
    /// Whether a control group gives this process less memory than the machine has.
    is_limited: bool,
    folder: PathBuf,
    asked: Instant,
    spent: Duration,
}

impl Machine {
    /// Begins to measure, and finds out what does not change. `folder` is the one whose free space counts. Fails where the
    /// operating system is not one that can be asked.
    pub(super) fn new(folder: &Path, found: &mut Reading) -> Result<Self, sysinfo::Error> {
        let mut machine = Self {
            system: System::new()?,
            traffic: Traffic::read(),
            me: Pid::from_u32(std::process::id()),
            is_limited: false,
            folder: folder.to_owned(),
            asked: clock::monotonic(),
            spent: process_time(),
        };
        machine.refresh();
        let memory = machine.system.total_memory();
        let limit = machine.process().and_then(Process::cgroup_limits).map_or(memory, |limits| limits.total_memory);
        machine.is_limited = limit < memory;
        found.atom("hostname", gethostname::gethostname().to_string_lossy().into_owned());
        found.atom("ram_total", gigabytes(limit.min(memory)));
        if let Ok(processors) = thread::available_parallelism() {
            found.atom("cpus", i64::try_from(processors.get()).unwrap_or(i64::MAX));
        }
        Ok(machine)
    }

    /// How long ago the machine was read.
    pub(super) fn age(&self) -> Duration {
        self.asked.elapsed()
    }

    /// Reads everything once.
    pub(super) fn read(&mut self, found: &mut Reading) {
        let (asked, spent) = (self.asked, self.spent);
        self.asked = clock::monotonic();
        self.spent = process_time();
        let seconds = self.asked.saturating_duration_since(asked).as_secs_f64();
        self.refresh();

        found.point(names::CPU, f64::from(self.system.global_cpu_usage()));
        found.point("process/cpu", 100.0 * self.spent.saturating_sub(spent).as_secs_f64() / seconds);
        if let Some(process) = self.process() {
            found.point("process/ram", gigabytes(process.memory()));
        }
        found.point(names::RAM, gigabytes(self.used_memory()));

        let before = std::mem::replace(&mut self.traffic, Traffic::read());
        let megabytes_a_second = |bytes: u64| bytes as f64 / 1e6 / seconds;
        for (inward, outward, now, before) in [
            ("disk/read", "disk/written", self.traffic.disks, before.disks),
            ("network/received", "network/sent", self.traffic.network, before.network),
        ] {
            if let (Some(now), Some(before)) = (now, before) {
                let moved = now.since(before);
                found.point(inward, megabytes_a_second(moved.inward));
                found.point(outward, megabytes_a_second(moved.outward));
            }
        }
        if let Ok(space) = rustix::fs::statvfs(&self.folder) {
            found.point("disk/free", gigabytes(space.f_bavail.saturating_mul(space.f_frsize)));
        }
    }

    fn refresh(&mut self) {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        self.system.refresh_processes_specifics(
            ProcessesToUpdate::Some(&[self.me]),
            false,
            ProcessRefreshKind::nothing().with_memory(),
        );
    }

    fn process(&self) -> Option<&Process> {
        self.system.process(self.me)
    }

    /// In a control group with a limit, what its processes hold: the process is killed when that reaches the limit, however
    /// much the machine has left. Files that are cached are not counted, here or there: they give way.
    fn used_memory(&self) -> u64 {
        let limited = if self.is_limited { self.process().and_then(Process::cgroup_limits) } else { None };
        match limited {
            Some(limits) => limits.rss,
            None => self.system.total_memory().saturating_sub(self.system.available_memory()),
        }
    }
}

/// The processor time that all threads of this process have spent.
fn process_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}
