//! How long a trainer waits at the start of its experiment and at its end, bare and with all that is recorded by default.

use std::{path::Path, time::Duration};

use neptune_core::{Mode, Session};

use crate::{Report, median, millis, now, pause, time};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Runs of each measurement; the median counts.
const RUNS: usize = 15;

/// What an experiment records besides what is logged to it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Recorded {
    Nothing,
    Defaults,
}

/// Measures all of them.
///
/// # Errors
/// When the folder cannot be used.
pub fn measure(report: &mut Report) -> Outcome {
    // In turn, so that what disturbs the machine disturbs both.
    let folder = tempfile::tempdir_in(".")?;
    drop(session(folder.path(), Recorded::Nothing)?);
    let mut bare = Times::default();
    let mut whole = Times::default();
    let mut hasty = Times::default();
    for _ in 0..RUNS {
        bare.run(folder.path(), Recorded::Nothing, Duration::ZERO)?;
        whole.run(folder.path(), Recorded::Defaults, Duration::from_secs(1))?;
        hasty.run(folder.path(), Recorded::Defaults, Duration::ZERO)?;
    }
    let (bare_start, whole_start) = (median(bare.starts), median(whole.starts));
    report.bar(
        "start of a session and an experiment to its first point",
        format!("{whole_start:.1} ms with console, code and hardware; {bare_start:.1} ms without"),
        String::new(),
        "<= 10 ms",
        whole_start <= 10.0,
    );
    let (bare_stop, whole_stop) = (median(bare.stops), median(whole.stops));
    report.bar(
        "`stop` with 1 s of points at 1,000/s not drained",
        format!("{whole_stop:.1} ms with console, code and hardware; {bare_stop:.1} ms without"),
        String::new(),
        "<= 50 ms",
        whole_stop <= 50.0,
    );
    report.note(format!(
        "An experiment that is stopped as soon as it was started waits for git, which is asked in the background: {:.0} ms in \
         this repository.",
        median(hasty.stops)
    ));
    Ok(())
}

fn session(folder: &Path, recorded: Recorded) -> neptune_core::Result<Session> {
    let builder = Session::builder().folder(folder).project("bench/start").mode(Mode::Embedded);
    if recorded == Recorded::Defaults { builder } else { builder.without_code() }.open()
}

/// Of each run, in milliseconds.
#[derive(Default)]
struct Times {
    starts: Vec<f64>,
    stops: Vec<f64>,
}

impl Times {
    /// An experiment that is stopped `after` its start, with a thousand points that nobody had the time to drain.
    fn run(&mut self, folder: &Path, recorded: Recorded, after: Duration) -> Outcome {
        let began = now();
        let session = session(folder, recorded)?;
        let builder = session.experiment();
        let experiment =
            if recorded == Recorded::Defaults { builder } else { builder.without_console().without_hardware() }
                .start()?;
        let loss = experiment.series::<f64>("train/loss")?;
        loss.append(1.0);
        self.starts.push(millis(began.elapsed()));
        pause(after);
        for number in 0..1_000_u32 {
            loss.append(f64::from(number));
        }
        let (took, lost) = time(|| experiment.stop());
        assert!(lost?.is_empty(), "something was lost");
        self.stops.push(millis(took));
        Ok(())
    }
}
