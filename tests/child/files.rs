//! Scenarios that log files: images, artifacts and checkpoints.

use neptune_core::{Goal, Image};

use crate::{Outcome, kill_at, open, say};

/// Logs an image, an artifact and a checkpoint in each round and tells of each round that returned, until it is killed: at
/// a point of the code when one is named, from outside otherwise.
pub(crate) fn rounds(folder: &str, point: &str, hits: u64) -> Outcome {
    let session = open(folder)?;
    if !point.is_empty() {
        kill_at(point, hits)?;
    }
    let experiment = session.experiment().start()?;
    let images = experiment.series::<Image>("images")?;
    let checkpoints = experiment.checkpoints("checkpoints")?.keep_last(2).keep_best(1, Goal::Minimize);
    for round in 0..=u64::MAX {
        images.append_at(round, image(round)?);
        let text = content(round);
        experiment.log_artifact(text.as_bytes(), Some("notes.txt"))?;
        // The second round is the best for ever.
        let loss = if round == 1 { -1.0 } else { 1.0 };
        checkpoints.save(round, Some(loss), &mut [("a", text.as_bytes().into()), ("b", (&b"same"[..]).into())])?;
        say(&round.to_string())?;
    }
    Ok(())
}

/// The image of a round: 3 by 2 pixels that no other round has.
pub(crate) fn image(round: u64) -> neptune_core::Result<Image> {
    let bytes = round.to_le_bytes();
    Image::from_u8(&bytes[..6], 2, 3, 1)
}

/// The text of a round.
pub(crate) fn content(round: u64) -> String {
    format!("round {round}")
}

/// Listens to a request to abort, and ends as one should.
pub(crate) fn listens(folder: &str) -> Outcome {
    let experiment = open(folder)?.experiment().start()?;
    let (heard, hears) = std::sync::mpsc::sync_channel(1);
    experiment.on_abort(move |reason| heard.send(reason.to_owned()).unwrap_or_default());
    say("ready")?;
    let reason = hears.recv()?;
    experiment.abort(reason)?;
    Ok(())
}

/// Deletes all artifacts of an experiment, once when it is to be killed at a point of the code, and otherwise until it is killed
/// from outside: then it logs and deletes its own.
pub(crate) fn deletes(folder: &str, id: &str, point: &str, hits: u64) -> Outcome {
    let session = open(folder)?;
    if point.is_empty() {
        let experiment = session.experiment().without_hardware().start()?;
        for round in 0..=u64::MAX {
            let text = format!("content {}", round % 40);
            experiment.log_artifact(text.as_bytes(), Some("z"))?;
            experiment.delete_artifacts([""])?;
        }
    }
    let experiment = session.edit(id).start()?;
    kill_at(point, hits)?;
    experiment.delete_artifacts([""])?;
    say("deleted")
}

/// Downloads the artifact `model`.
pub(crate) fn downloads(folder: &str, id: &str, point: &str, to: &str) -> Outcome {
    let stored = open(folder)?.get(id)?;
    if !point.is_empty() {
        kill_at(point, 1)?;
    }
    stored.download_artifact("model", Some(std::path::Path::new(to)))?;
    Ok(())
}

/// Logs an artifact of so many bytes, and says what came of it.
pub(crate) fn logs_bytes(folder: &str, bytes: usize) -> Outcome {
    let logged = open(folder).and_then(|session| {
        let experiment = session.experiment().without_hardware().start()?;
        experiment.log_artifact(vec![7; bytes].as_slice(), Some("bytes"))?;
        experiment.stop()
    });
    match logged {
        Ok(_) => say("kept"),
        Err(error) => say(&format!("{:?}: {error}", error.kind())),
    }
}
