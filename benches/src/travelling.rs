//! What it takes to rewind, to undo that and to fork, by how much was logged: the records are of one size, but points move.

use neptune_core::{Mode, Session};

use crate::{Report, median, millis, time};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Runs of each measurement; the median counts.
const RUNS: usize = 5;

/// Measures all of them, on a series of ten thousand points and on one of a million.
///
/// # Errors
/// When the folder cannot be used.
pub fn measure(report: &mut Report) -> Outcome {
    let mut told = Vec::new();
    for points in [10_000_u32, 1_000_000] {
        let folder = tempfile::tempdir_in(".")?;
        let session = Session::builder()
            .folder(folder.path())
            .project("bench/travel")
            .mode(Mode::Embedded)
            .without_code()
            .open()?;
        let experiment = session.experiment().without_console().without_hardware().start()?;
        let loss = experiment.series::<f64>("train/loss")?;
        (0..points).for_each(|step| loss.append_at(step, f64::from(step).sin()));
        let whole = loss.last()?.step;
        let (mut rewinds, mut undos, mut forks) = (vec![], vec![], vec![]);
        for _ in 0..RUNS {
            // To the end of each: until the next reader sees what was done.
            let (took, revision) = time(|| -> Outcome<_> {
                let revision = experiment.rewind(points / 2)?;
                assert!(loss.last()?.step < whole);
                Ok(revision)
            });
            rewinds.push(millis(took));
            let revision = revision?;
            let (took, undone) = time(|| -> Outcome {
                experiment.undo(revision)?;
                assert!(loss.last()?.step >= whole);
                Ok(())
            });
            undone?;
            undos.push(millis(took));
            let (took, fork) =
                time(|| session.fork(&experiment.id().to_string(), points / 2).without_console().start());
            forks.push(millis(took));
            fork?.stop()?;
        }
        experiment.stop()?;
        told.push(format!(
            "of {points} points: rewind to the half {:.1} ms, undo {:.1} ms, fork {:.1} ms",
            median(rewinds),
            median(undos),
            median(forks)
        ));
    }
    report.note(format!("Time travel, until a reader sees it, in a series {}.", told.join("; ")));
    Ok(())
}
