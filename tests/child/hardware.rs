//! Scenarios in which the hardware is read.

use std::{path::Path, time::Duration};

use neptune_core::stopwatch;

use crate::{Outcome, open, say};

/// Runs until there is a file `FOLDER.enough`, and meanwhile does nothing (`idle`), works processors (`work`) or holds
/// 200 MB (`hold`). Says how many milliseconds the end took.
pub(crate) fn run(folder: &str, occupation: &str) -> Outcome {
    let held = if occupation == "hold" { vec![1_u8; 200_000_000] } else { Vec::new() };
    let experiment = open(folder)?.experiment().hardware_every(Duration::from_millis(250)).start()?;
    say("started")?;
    let enough = Path::new(folder).with_extension("enough");
    std::thread::scope(|scope| {
        // More than its share, so that a busy machine leaves it more than half a processor.
        for _ in 0..if occupation == "work" { 4 } else { 0 } {
            scope.spawn(|| work_until(&enough));
        }
        while !enough.exists() {
            std::thread::park_timeout(Duration::from_millis(20));
        }
    });
    // Held to here.
    std::hint::black_box(&held);
    let began = stopwatch::ticks();
    experiment.stop()?;
    let took = stopwatch::nanos(stopwatch::ticks().saturating_sub(began)) / 1_000_000;
    say(&format!("{took}"))
}

/// Works a processor until there is a file.
fn work_until(enough: &Path) {
    while !enough.exists() {
        let began = stopwatch::ticks();
        while stopwatch::nanos(stopwatch::ticks().saturating_sub(began)) < 20_000_000 {
            std::hint::spin_loop();
        }
    }
}

/// How long a reading takes and what it costs: the time of the thread and the memory of the process, with the hardware read
/// at every chance for some seconds.
pub(crate) fn cost(folder: &str, seconds: u64) -> Outcome {
    let experiment = open(folder)?.experiment().without_hardware().start()?;
    let before = memory("VmRSS")?;
    experiment.stop()?;
    let experiment = open(folder)?.experiment().hardware_every(Duration::from_millis(250)).start()?;
    std::thread::park_timeout(Duration::from_secs(seconds));
    let after = memory("VmRSS")?;
    let spent = thread_time("neptune:hardware")?;
    let readings = experiment.hardware_utilization()?.len();
    experiment.stop()?;
    say(&format!("readings {readings}"))?;
    say(&format!("nanoseconds {spent}"))?;
    say(&format!("memory_kb {before} {after}"))
}

/// A line of this process's status, in KiB.
fn memory(name: &str) -> Result<u64, Box<dyn std::error::Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).ok_or("no such line")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// The processor time of the thread of this name, in nanoseconds. The kernel keeps 15 bytes of a name.
fn thread_time(name: &str) -> Result<u64, Box<dyn std::error::Error>> {
    for thread in std::fs::read_dir("/proc/self/task")? {
        let thread = thread?.path();
        if std::fs::read_to_string(thread.join("comm"))?.trim_end() == &name[..15] {
            let spent = std::fs::read_to_string(thread.join("schedstat"))?;
            return Ok(spent.split(' ').next().ok_or("empty")?.parse()?);
        }
    }
    Err("there is no such thread".into())
}
