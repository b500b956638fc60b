//! What an integration costs a training: processor time of whole processes, with it and without, in turn.

use std::{
    env,
    io::{self, Write as _},
    process::{Command, Stdio},
};

use rustix::time::{ClockId, clock_gettime};

/// Pairs of processes that are compared.
const PAIRS: usize = 15;

/// The program of a bench: `train` is called in processes of its own, with neptune and without.
///
/// # Errors
/// What `train` returned, and whatever keeps processes from running.
pub fn main(
    train: impl FnOnce(bool) -> Result<(), Box<dyn std::error::Error>>,
) -> Result<(), Box<dyn std::error::Error>> {
    match env::args().nth(1).as_deref() {
        Some("with") => train(true).and_then(|()| tell()),
        Some("without") => train(false).and_then(|()| tell()),
        _ => compare(),
    }
}

/// Says how much processor time this process took, with all its threads.
fn tell() -> Result<(), Box<dyn std::error::Error>> {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    writeln!(io::stdout(), "\ncpu {}", time.tv_sec as f64 + time.tv_nsec as f64 / 1e9)?;
    Ok(())
}

fn compare() -> Result<(), Box<dyn std::error::Error>> {
    let [mut with, mut without] = [Vec::new(), Vec::new()];
    for _ in 0..PAIRS {
        without.push(seconds("without")?);
        with.push(seconds("with")?);
    }
    let mut ratios: Vec<f64> = with.iter().zip(&without).map(|(with, without)| with / without).collect();
    let [with, without, ratio] = [&mut with, &mut without, &mut ratios].map(|values| median(values));
    writeln!(
        io::stdout(),
        "medians of {PAIRS} pairs: {with:.3} s of processor time with neptune, {without:.3} s without; {:+.1} % (median of the ratios {:+.1} %)",
        100.0 * (with / without - 1.0),
        100.0 * (ratio - 1.0),
    )?;
    Ok(())
}

fn seconds(how: &str) -> Result<f64, Box<dyn std::error::Error>> {
    let output = Command::new(env::current_exe()?).arg(how).stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8(output.stdout)?;
    let seconds = text.lines().rev().find_map(|line| line.strip_prefix("cpu ")).ok_or("the training did not end")?;
    Ok(seconds.parse()?)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
