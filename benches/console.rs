//! What it costs a program that its console is kept: a million printed lines, with and without, in turn.
//!
//! `cargo bench -p neptune-benches --bench console` prints the medians of whole programs, from their start to the end of `stop`,
//! which waits until all lines are in the store. The output goes to a pipe that is read, to a file, and to a terminal.

use std::{
    env,
    fs::File,
    io::{self, Read as _, Write as _},
    os::fd::OwnedFd,
    path::Path,
    process::{Command, Stdio},
};

use neptune_benches::{median, time};
use neptune_core::{Mode, Session};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

const LINES: u32 = 1_000_000;

/// Pairs of programs that are compared.
const PAIRS: usize = 11;

/// What the program may take, as a multiple of what it takes without.
const BAR: f64 = 1.1;

fn main() -> Outcome {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        // `cargo test --benches` only asks whether this runs.
        [.., "--test"] => Ok(()),
        ["print", folder, lines] => print(Path::new(folder), lines.parse()?),
        _ => compare(),
    }
}

/// The program: an experiment that prints.
fn print(folder: &Path, lines: u32) -> Outcome {
    let session = Session::builder().folder(folder).project("bench/console").mode(Mode::Embedded).open()?;
    let (start, started) = time(|| session.experiment().without_hardware().start());
    let experiment = started?;
    for line in 0..lines {
        writeln!(
            io::stdout(),
            "epoch {} step {line}: loss 0.{:06}",
            line / 1000,
            line.wrapping_mul(2_654_435_761) % 1_000_000
        )?;
    }
    let (stop, stopped) = time(|| experiment.stop());
    assert!(stopped?.is_empty(), "something was lost");
    writeln!(io::stderr(), "{} {}", start.as_micros(), stop.as_micros())?;
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    Pipe,
    File,
    Terminal,
}

fn compare() -> Outcome {
    let mut out = io::stdout();
    for goal in [Goal::Pipe, Goal::File, Goal::Terminal] {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for _ in 0..PAIRS {
            without.push(run(goal, "off", LINES)?.whole);
            with.push(run(goal, "stdout", LINES)?.whole);
        }
        let mut ratios: Vec<f64> = with.iter().zip(&without).map(|(with, without)| with / without).collect();
        let ratio = median(std::mem::take(&mut ratios));
        let (with, without) = (median(with), median(without));
        let verdict = match goal {
            Goal::Terminal => "no bar",
            _ if with / without <= BAR => "met",
            _ => "MISSED",
        };
        writeln!(
            out,
            "{LINES} lines to a {goal:?}: {with:.2} s, {without:.2} s without the console: {:.2}x (median of the ratios of {PAIRS} \
             pairs {ratio:.2}x), bar {BAR}x: {verdict}",
            with / without
        )?;
    }
    for setting in ["off", "stdout"] {
        let runs = (0..PAIRS).map(|_| run(Goal::Pipe, setting, 10)).collect::<Outcome<Vec<_>>>()?;
        let median_of = |part: fn(&Run) -> f64| median(runs.iter().map(part).collect());
        writeln!(
            out,
            "10 lines, console {setting}: start {:.1} ms, stop {:.1} ms, whole program {:.0} ms",
            median_of(|run| run.start),
            median_of(|run| run.stop),
            1e3 * median_of(|run| run.whole)
        )?;
    }
    Ok(())
}

/// What was measured of one program.
struct Run {
    /// From its start to its end, in seconds.
    whole: f64,
    /// The start and the end of the experiment, in milliseconds.
    start: f64,
    stop: f64,
}

fn run(goal: Goal, setting: &str, lines: u32) -> Outcome<Run> {
    let folder = tempfile::tempdir_in(".")?;
    let mut command = Command::new(env::current_exe()?);
    command.arg("print").arg(folder.path().join("neptune")).arg(lines.to_string());
    command.env("NEPTUNE_CONSOLE", setting).stderr(Stdio::piped());
    let file = folder.path().join("output");
    let mut terminal = None;
    match goal {
        Goal::Pipe => drop(command.stdout(Stdio::piped())),
        Goal::File => drop(command.stdout(File::create(&file)?)),
        Goal::Terminal => {
            let (read, write) = new_terminal()?;
            command.stdout(write);
            terminal = Some(read);
        }
    }
    let (whole, printed) = time(|| -> Outcome<(u64, String)> {
        let mut child = command.spawn()?;
        // The terminal ends when nobody has it open any more.
        command.stdout(Stdio::null());
        let mut printed = 0;
        if let Some(mut output) = child.stdout.take() {
            printed = io::copy(&mut output, &mut io::sink())?;
        }
        if let Some(mut terminal) = terminal {
            let mut buffer = vec![0; 1 << 16];
            // The error at its end says so.
            while let Ok(count @ 1..) = terminal.read(&mut buffer) {
                printed += count as u64;
            }
        }
        let mut times = String::new();
        child.stderr.take().ok_or("it is piped")?.read_to_string(&mut times)?;
        assert!(child.wait()?.success(), "the program failed: {times}");
        Ok((printed, times))
    });
    let (mut printed, times) = printed?;
    if goal == Goal::File {
        printed = file.metadata()?.len();
    }
    assert!(printed >= 30 * u64::from(lines), "only {printed} bytes came");
    if setting != "off" {
        assert_eq!(kept(&folder.path().join("neptune"))?, lines as usize, "lines are missing in the store");
    }
    let last = times.lines().last().unwrap_or_default();
    assert_eq!(times.trim_end(), last, "it had something to say");
    let mut times = last.split_whitespace().map(str::parse::<f64>);
    let mut next = || -> Outcome<f64> { Ok(times.next().ok_or("two times")?? / 1e3) };
    Ok(Run { whole: whole.as_secs_f64(), start: next()?, stop: next()? })
}

/// How many lines of standard output are in the store.
fn kept(folder: &Path) -> Outcome<usize> {
    let store = neptune_store::Store::open(folder, neptune_store::StoreOptions::default())?;
    let key = store.find("CON-1")?;
    let variables = store.variables(&key, "monitoring/")?;
    let path = variables.iter().find(|it| it.path.ends_with("/stdout")).ok_or("nothing was kept")?;
    Ok(store.series(&key, &path.path, f64::NEG_INFINITY..=f64::INFINITY)?.len())
}

fn new_terminal() -> Outcome<(File, OwnedFd)> {
    let read = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&read)?;
    unlockpt(&read)?;
    let name = ptsname(&read, Vec::new())?;
    let write = File::options().read(true).write(true).open(name.to_str()?)?;
    Ok((File::from(read), write.into()))
}
