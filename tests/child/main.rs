//! The process that tests start and kill: each scenario logs in its own way and tells its parent by lines what it did.

mod code;
mod console;
mod files;
mod hardware;
mod lifecycle;
mod says;
mod traced;
mod travel;

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use neptune_core::{Mode, Session};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["burst", folder, threads] => burst(folder, threads.parse()?),
        ["killed-at", folder, point, hits] => killed_at(folder, point, hits.parse()?),
        ["recover-killed-at", folder, point, hits] => recover_killed_at(folder, point, hits.parse()?),
        ["paced", folder, mode] => paced(folder, mode),
        ["rank", folder, id, number] => rank(folder, id, number.parse()?),
        ["from-env"] => from_env(),
        ["panic", folder] => panics(folder),
        ["traced-panic", folder] => traced::panics(folder),
        ["silent", folder] => silent(folder),
        ["traced-silent", folder] => traced::silent(folder),
        ["traced-burst", folder, threads] => traced::burst(folder, threads.parse()?),
        ["full-disk", folder] => full_disk(folder),
        ["fork", folder] => fork(folder),
        ["files", folder, point, hits] => files::rounds(folder, point, hits.parse()?),
        ["deletes", folder, id, point, hits] => files::deletes(folder, id, point, hits.parse()?),
        ["downloads", folder, id, point, to] => files::downloads(folder, id, point, to),
        ["logs-bytes", folder, bytes] => files::logs_bytes(folder, bytes.parse()?),
        ["listens", folder] => files::listens(folder),
        ["console", folder, mode, acts @ ..] => console::run(folder, mode, acts),
        ["echoes", folder] => says::echoes(folder),
        ["wrong-step", folder, how] => says::wrong_step(folder, how),
        ["exits", folder] => lifecycle::exits(folder),
        ["signalled", folder, how] => lifecycle::signalled(folder, how),
        ["takes-memory", folder, group] => lifecycle::takes_memory(folder, group),
        ["delete-killed-at", folder, id, point] => lifecycle::delete_killed_at(folder, id, point),
        ["hardware", folder, occupation] => hardware::run(folder, occupation),
        ["hardware-cost", folder, seconds] => hardware::cost(folder, seconds.parse()?),
        ["code", folder, settings @ ..] => code::run(folder, settings),
        ["story", folder, limit] => travel::story(folder, limit.parse()?, None),
        ["story", folder, limit, point, hits] => travel::story(folder, limit.parse()?, Some((point, hits.parse()?))),
        ["crowd", folder, id, process, threads, rounds] => {
            travel::crowd(folder, id, process.parse()?, threads.parse()?, rounds.parse()?)
        }
        _ => Err(format!("unknown scenario {arguments:?}").into()),
    }
}

fn open(folder: &str) -> neptune_core::Result<Session> {
    Session::builder().folder(folder).project("tests/e2e").mode(Mode::Embedded).open()
}

fn say(line: &str) -> Outcome {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()?;
    Ok(())
}

/// How often a call of each thread returned, in a file that survives this process.
struct Returned(memmap2::MmapMut);

impl Returned {
    #[expect(unsafe_code, reason = "counts must survive SIGKILL without a system call each")]
    fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).truncate(true).read(true).write(true).open(path)?;
        file.set_len(4096)?;
        // SAFETY: nobody else writes to the file while this process lives, and it is never cut.
        Ok(Self(unsafe { memmap2::MmapMut::map_mut(&file)? }))
    }

    #[expect(unsafe_code, reason = "counts must survive SIGKILL without a system call each")]
    #[expect(clippy::cast_ptr_alignment, reason = "a mapping begins at a page")]
    fn of(&self, thread: usize) -> &AtomicU64 {
        assert!(thread < 64, "one page holds the counts");
        // SAFETY: a mapping is aligned to a page and 4096 bytes long; every access to it is atomic.
        unsafe { &*self.0.as_ptr().cast::<AtomicU64>().add(thread * 8) }
    }
}

/// Logs as fast as it can, for ever: each thread to its own series, the numbers 0, 1, 2, ...
fn burst(folder: &str, threads: usize) -> Outcome {
    let session = open(folder)?;
    let experiment = session.experiment().start()?;
    let returned = Returned::create(&Path::new(folder).with_extension("returned"))?;
    let series =
        (0..threads).map(|thread| experiment.series::<f64>(&format!("t/{thread}"))).collect::<Result<Vec<_>, _>>()?;
    say("ready")?;
    std::thread::scope(|scope| {
        for (thread, series) in series.iter().enumerate() {
            let returned = returned.of(thread);
            scope.spawn(move || {
                for number in 0_u32.. {
                    series.append(f64::from(number));
                    returned.store(u64::from(number) + 1, Ordering::Release);
                }
            });
        }
    });
    Ok(())
}

/// Has this process killed when it reaches a point of the code for the given time.
fn kill_at(point: &str, hits: u64) -> Outcome {
    let reached = AtomicU64::new(0);
    fail::cfg_callback(point, move || {
        if reached.fetch_add(1, Ordering::SeqCst) + 1 == hits {
            let me = rustix::process::getpid();
            rustix::process::kill_process(me, rustix::process::Signal::KILL).expect("a process may kill itself");
        }
    })?;
    Ok(())
}

/// Logs points, an atom, a set and text in rounds with a flush between, until it is killed in the middle of draining.
fn killed_at(folder: &str, point: &str, hits: u64) -> Outcome {
    let session =
        Session::builder().folder(folder).project("tests/e2e").mode(Mode::Embedded).segment_bytes(16 << 10).open()?;
    kill_at(point, hits)?;
    let experiment = session.experiment().start()?;
    let series = experiment.series::<f64>("train/loss")?;
    for round in 0..8_u32 {
        for number in 0..300_u32 {
            series.append(f64::from(round * 300 + number));
        }
        experiment.log_text("notes", format!("round {round}"));
        experiment.atom("round").assign(round);
        experiment.set("rounds").add([format!("{round}")]);
        say(&format!("logged {}", (round + 1) * 300))?;
        experiment.flush(Duration::from_secs(20))?;
    }
    experiment.stop()?;
    say("stopped")?;
    Ok(())
}

/// Recovers the folder and is killed on the way.
fn recover_killed_at(folder: &str, point: &str, hits: u64) -> Outcome {
    kill_at(point, hits)?;
    // Offline, so that opening the session does not recover on a thread of its own.
    let session = Session::builder().folder(folder).project("tests/e2e").mode(Mode::Offline).open()?;
    session.recover(|_| ())?;
    say("recovered")?;
    Ok(())
}

/// Logs a number each millisecond and says which call returned.
fn paced(folder: &str, mode: &str) -> Outcome {
    let session = Session::builder().folder(folder).project("tests/e2e").mode(mode.parse()?).open()?;
    let experiment = session.experiment().name("paced").start()?;
    let series = experiment.series::<f64>("train/loss")?;
    for number in 0_u32.. {
        series.append(f64::from(number));
        say(&format!("{number}"))?;
        std::thread::park_timeout(Duration::from_millis(1));
    }
    Ok(())
}

/// One of several processes of an experiment.
fn rank(folder: &str, id: &str, rank: u32) -> Outcome {
    let session = open(folder)?;
    let experiment = session.attach(id).start()?;
    let own = experiment.series::<f64>(&format!("rank{rank}/loss"))?;
    let shared = experiment.series::<f64>("shared/loss")?;
    for step in 0..2_000_u32 {
        own.append_at(step, f64::from(step));
        shared.append(f64::from(rank));
    }
    experiment.set("ranks").add([format!("rank {rank}")]);
    experiment.log_params(&serde_json::json!({ "learning_rate": 0.1 }))?;
    experiment.stop()?;
    Ok(())
}

/// Logs to wherever the environment says, and says what it found.
fn from_env() -> Outcome {
    let started = Session::from_env().and_then(|session| session.experiment().start());
    let experiment = match started {
        Ok(experiment) => experiment,
        Err(error) => return say(&format!("error: {error}")),
    };
    let id = experiment.short_id().map_or_else(|| experiment.id().to_string(), str::to_owned);
    experiment.log_metric("loss", 1.0);
    let project = experiment.project().clone();
    experiment.stop()?;
    say(&format!("{project} {id}"))
}

fn panics(folder: &str) -> Outcome {
    let session = open(folder)?;
    let experiment = session.experiment().start()?;
    experiment.log_metric("loss", 1.0);
    assert!(folder.is_empty(), "the gradient exploded");
    drop(experiment);
    Ok(())
}

/// Logs on a small disk: fills it, makes room, and logs again.
fn full_disk(folder: &str) -> Outcome {
    let session =
        Session::builder().folder(folder).project("tests/e2e").mode(Mode::Offline).segment_bytes(256 << 10).open()?;
    let experiment = session.experiment().start()?;
    let series = experiment.series::<f64>("train/loss")?;
    let ballast = Path::new(folder).with_file_name("ballast");
    std::fs::write(&ballast, vec![1; 2 << 20])?;
    // 4 MiB of disk, 2 of them ballast: at 32 bytes a point there is no room for this many.
    let mut longest = Duration::ZERO;
    for number in 0..200_000_u32 {
        #[expect(clippy::disallowed_methods, reason = "the duration of a call is what is tested")]
        let began = std::time::Instant::now();
        series.append(f64::from(number));
        longest = longest.max(began.elapsed());
    }
    let lost = experiment.flush(Duration::from_secs(5))?;
    say(&format!("full {}", lost.count(neptune_core::LostReason::DiskFull)))?;
    say(&format!("longest_ms {}", longest.as_millis()))?;
    std::fs::remove_file(&ballast)?;
    std::thread::park_timeout(Duration::from_secs(2));
    for number in 0..1_000_u32 {
        series.append(1e6 + f64::from(number));
    }
    let lost = experiment.stop()?;
    say(&format!("stopped {}", lost.count(neptune_core::LostReason::DiskFull)))?;
    Ok(())
}

/// From here on any system call of this thread kills it.
#[expect(unsafe_code, reason = "the kernel is asked through the C library")]
fn forbid_system_calls() {
    // Not the strict mode, which also forbids to read the processor's counter.
    let mut kill = libc::sock_filter { code: 0x06, jt: 0, jf: 0, k: libc::SECCOMP_RET_KILL_THREAD };
    let program = libc::sock_fprog { len: 1, filter: &raw mut kill };
    // SAFETY: the calls read the program, which lives until they return, and change only what this thread may do.
    let forbidden = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) == 0
    };
    assert!(forbidden, "the kernel can forbid system calls");
}

/// Has `log` called on a thread that may make no system call, after some calls on which it may; says when it is done.
#[expect(clippy::exit, reason = "a thread that may make no system call cannot end by itself")]
fn without_system_calls(log: impl Fn(u32) + Send + Sync) -> Outcome {
    const CALLS: u32 = 5_000;
    let done = AtomicU64::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            (0..1_000).for_each(&log);
            forbid_system_calls();
            for number in 1_000..1_000 + CALLS {
                log(number);
                done.fetch_add(1, Ordering::Release);
            }
            // Ending a thread takes system calls: it goes with the process.
            while done.load(Ordering::Relaxed) > 0 {
                std::hint::spin_loop();
            }
        });
        for _ in 0..1_000 {
            if done.load(Ordering::Acquire) == u64::from(CALLS) {
                break;
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
        say(&format!("{} of {CALLS}", done.load(Ordering::Acquire)))?;
        std::process::exit(0)
    })
}

/// Logs to handles and by name.
fn silent(folder: &str) -> Outcome {
    let experiment = open(folder)?.experiment().start()?;
    let series = experiment.series::<f64>("train/loss")?;
    without_system_calls(|number| {
        series.append(f64::from(number));
        series.append_at(number, 0.5);
        experiment.log_metric("loss", 0.5);
        experiment.log_metrics(number, [("a", 0.5), ("b", 0.25)]);
    })
}

/// Logs, forks, logs in parent and child, and lets the child outlive the parent.
fn fork(folder: &str) -> Outcome {
    let session = open(folder)?;
    let experiment = session.experiment().start()?;
    let series = experiment.series::<f64>("train/loss")?;
    for number in 0..100_u32 {
        series.append(f64::from(number));
    }
    #[expect(unsafe_code, reason = "forking is what is tested")]
    // SAFETY: the child only logs, waits and exits.
    let child = unsafe { libc::fork() };
    if child == 0 {
        for _ in 0..50 {
            series.append(-1.0);
        }
        experiment.log_metric("never seen", 1.0);
        say("child logged")?;
        std::thread::park_timeout(Duration::from_secs(20));
        return Ok(());
    }
    for number in 100..200_u32 {
        series.append(f64::from(number));
    }
    say(&format!("parent logged, child is {child}"))?;
    std::thread::park_timeout(Duration::from_mins(1));
    Ok(())
}
