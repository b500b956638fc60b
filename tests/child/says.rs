//! Programs of which it is looked at what is said on standard error.

use std::io::{self, Write as _};
use std::time::Duration;

use neptune_core::{Classic as _, Histogram, Image};

use crate::{Outcome, open};

/// Logs a little of everything, and prints.
pub(crate) fn echoes(folder: &str) -> Outcome {
    let session = open(folder)?;
    let experiment = session
        .experiment()
        .name("first")
        .params(&serde_json::json!({ "rate": 0.1, "layers": [64, 32] }))
        .tags(["cnn"])
        .start()?;
    writeln!(io::stderr(), "printed by the program")?;
    experiment.log_metric("loss", 0.5);
    experiment.log_metrics(7, [("loss", 0.25)]);
    experiment.log_text("notes", "went\n\u{1b}[31mwell");
    experiment.log_text("long", "x".repeat(1_000));
    experiment.log_image_at("digits", 3, Image::from_u8(&[0; 6], 2, 3, 1)?);
    experiment.log_histogram("weights", &Histogram::of([0.0, 1.0], 4));
    experiment.at("best").assign(true);
    experiment.log_artifact(&b"12345"[..], Some("a.bin"))?;
    experiment.remove_tags(["cnn"]);
    experiment.series::<f64>("monitoring/mine")?.append(1.0);
    let loss = experiment.series::<f64>("logs/loss")?;
    experiment.flush(Duration::from_mins(1))?;
    experiment.rename("logs/loss", "train/loss")?;
    loss.append(0.125);
    experiment.set_property("to be deleted", 1);
    experiment.remove_property("to be deleted");
    experiment.stop()?;
    Ok(())
}

/// Logs at a step that is none.
pub(crate) fn wrong_step(folder: &str, how: &str) -> Outcome {
    let experiment = open(folder)?.experiment().start()?;
    match how {
        "metrics" => experiment.log_metrics(f64::NAN, [("train/loss", 1.0)]),
        "text" => experiment.log_text_at("notes", f64::INFINITY, "text"),
        "series" => experiment.series::<f64>("train/loss")?.append_at(f64::NAN, 1.0),
        _ => {
            experiment.send_metric_at("loss", 5, 1.0);
            experiment.send_metric_at("loss", 5, 2.0);
        }
    }
    experiment.stop()?;
    Ok(())
}
