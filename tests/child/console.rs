//! A program that prints in many ways, and ends in many.

use std::{
    io::{self, Write as _},
    os::unix::process::CommandExt as _,
    process::Command,
    sync::{Mutex, mpsc::Receiver},
    time::Duration,
};

use neptune_core::{Experiment, Session};

use super::{Outcome, say};

/// What children listen to until this process ends.
static KEPT: Mutex<Vec<io::PipeWriter>> = Mutex::new(Vec::new());

/// Tells when a thread has printed all that it was to print.
static BACKGROUND: Mutex<Option<Receiver<()>>> = Mutex::new(None);

/// Starts an experiment and does what each of `acts` says, one after the other.
pub(super) fn run(folder: &str, mode: &str, acts: &[&str]) -> Outcome {
    let session = Session::builder().folder(folder).project("tests/e2e").mode(mode.parse()?).open()?;
    let mut builder = session.experiment().without_hardware();
    if let Some(deadline) = acts.iter().find_map(|act| act.strip_prefix("deadline:")) {
        builder = builder.stop_deadline(Duration::from_millis(deadline.parse()?));
    }
    let mut experiments = vec![builder.start()?];
    for act in acts {
        let (act, what) = act.split_once(':').unwrap_or((act, ""));
        perform(&session, &mut experiments, act, what)?;
    }
    if experiments.is_empty() { Ok(()) } else { Err("the experiment was not stopped".into()) }
}

#[expect(clippy::too_many_lines, reason = "a list of acts, most of them a line")]
fn perform(session: &Session, experiments: &mut Vec<Experiment>, act: &str, what: &str) -> Outcome {
    match act {
        "out" => {
            write!(io::stdout(), "{what}")?;
            io::stdout().flush()?;
        }
        "unflushed" => write!(io::stdout(), "{what}")?,
        "err" => write!(io::stderr(), "{what}")?,
        "c" => print_by_c(what),
        "many" => {
            for line in 0..what.parse()? {
                writeln!(io::stdout(), "{}", numbered(line))?;
            }
        }
        "err-many" => {
            for line in 0..what.parse()? {
                writeln!(io::stderr(), "{}", numbered(line))?;
            }
        }
        "not-text" => {
            io::stdout().write_all(b"a\xffb\xe2\x82\n\0c\n")?;
            io::stdout().flush()?;
        }
        // A line of so many bytes, and no newline.
        "endless" => {
            let piece = vec![b'x'; 1 << 16];
            let mut left: usize = what.parse()?;
            while left > 0 {
                let most = left.min(piece.len());
                io::stdout().write_all(piece.get(..most).unwrap_or_default())?;
                left -= most;
            }
            io::stdout().flush()?;
        }
        "cycles" => cycles(session, what.parse()?)?,
        "both" => {
            for line in 0..what.parse()? {
                writeln!(io::stdout(), "{}", numbered(line))?;
                writeln!(io::stderr(), "{}", numbered(line))?;
            }
        }
        "sh" => drop(Command::new("sh").arg("-c").arg(what).status()?),
        // Its standard input ends with this process.
        "listening" => {
            let (ends_with_us, input) = std::io::pipe().map(|(read, write)| (write, read))?;
            drop(Command::new("sh").arg("-c").arg(what).stdin(input).spawn()?);
            KEPT.lock().map_err(|error| error.to_string())?.push(ends_with_us);
        }
        "exec" => return Err(Command::new("sh").arg("-c").arg(what).exec().into()),
        "terminal" => say(&format!("terminal {}", rustix::termios::isatty(io::stdout())))?,
        "size" => say(&format!("columns {}", rustix::termios::tcgetwinsize(io::stdout())?.ws_col))?,
        "read" => drop(io::stdin().read_line(&mut String::new())?),
        "start" => experiments.push(session.experiment().without_hardware().start()?),
        "lock" => {
            // Whoever holds the lock of standard output ends an experiment.
            let _held = io::stdout().lock();
            experiments.pop().map(Experiment::stop).transpose()?;
        }
        "stop" => {
            experiments.pop().map(Experiment::stop).transpose()?;
        }
        // A child that prints for ever, until this process ends.
        "chatty" => {
            perform(session, experiments, "listening", "exec 3<&0; (cat <&3; kill $$) & while :; do echo on; done")?;
        }
        "leak" => experiments.drain(..).for_each(std::mem::forget),
        "deadline" => {}
        "background-many" => {
            let lines: u64 = what.parse()?;
            let (tell, told) = std::sync::mpsc::sync_channel(1);
            std::thread::Builder::new().spawn(move || {
                for line in 0..lines {
                    if line == 100 {
                        tell.send(()).ok();
                    }
                    writeln!(io::stdout(), "{}", numbered(line)).ok();
                }
                tell.send(()).ok();
            })?;
            told.recv()?;
            BACKGROUND.lock().map_err(|error| error.to_string())?.replace(told);
        }
        "join" => {
            let told = BACKGROUND.lock().map_err(|error| error.to_string())?.take();
            told.ok_or("nothing to wait for")?.recv()?;
        }
        "wait-for-columns" => {
            let columns: u16 = what.parse()?;
            while rustix::termios::tcgetwinsize(io::stdout())?.ws_col != columns {
                std::thread::park_timeout(Duration::from_millis(5));
            }
            perform(session, experiments, "size", "")?;
        }
        "files" => say(&format!("files {}", std::fs::read_dir("/proc/self/fd")?.count()))?,
        "wait-for-children" => while rustix::process::wait(rustix::process::WaitOptions::empty()).is_ok() {},
        "pause" => std::thread::park_timeout(Duration::from_millis(what.parse()?)),
        _ => end(act)?,
    }
    Ok(())
}

/// Starts and stops as many experiments that print a line, and waits until none of their files and threads is left.
fn cycles(session: &Session, times: usize) -> Outcome {
    let cycle = |line: usize| -> Outcome {
        let experiment = session.experiment().without_hardware().console().start()?;
        writeln!(io::stdout(), "cycle {line}")?;
        experiment.stop()?;
        Ok(())
    };
    let count = |folder: &str| std::fs::read_dir(folder).map(Iterator::count);
    cycle(0)?;
    for line in 1..=times {
        cycle(line)?;
    }
    // What a cycle leaves that is still going away, and no more.
    while count("/proc/self/fd")? > 40 || count("/proc/self/task")? > 10 {
        std::thread::park_timeout(Duration::from_millis(5));
    }
    Ok(())
}

/// A line that tells when another was lost.
pub(super) fn numbered(line: u64) -> String {
    format!("line {line} of the training, loss 0.{:06}", line.wrapping_mul(2_654_435_761) % 1_000_000)
}

#[expect(clippy::exit, reason = "what is tested")]
fn end(how: &str) -> Outcome {
    let me = rustix::process::getpid();
    let send = |signal| rustix::process::kill_process(me, signal);
    match how {
        "exit" => std::process::exit(7),
        "abort" => std::process::abort(),
        "panic" => panic!("the gradient exploded"),
        "kill" => send(rustix::process::Signal::KILL)?,
        "segv" => send(rustix::process::Signal::SEGV)?,
        "term" => {
            send(rustix::process::Signal::TERM)?;
            // A thread records it and passes it on.
            std::thread::park_timeout(Duration::from_mins(1));
        }
        "kill-group" => rustix::process::kill_process_group(me, rustix::process::Signal::KILL)?,
        _ => return Err(format!("unknown act {how:?}").into()),
    }
    Ok(())
}

#[expect(unsafe_code, reason = "printing by C is what is tested")]
fn print_by_c(what: &str) {
    let text = std::ffi::CString::new(what).expect("no text of a test has a zero in it");
    // SAFETY: both are texts that end, and the format asks for one.
    unsafe { libc::printf(c"%s".as_ptr(), text.as_ptr()) };
}
