//! Scenarios about the code of a program: where it lies is said by the environment, as cargo says it.

use std::{fs, path::Path};

use neptune_core::{Mode, Session};

use crate::{Outcome, kill_at, say};

/// Starts an experiment with these settings, and ends it when told to.
///
/// A setting is `id=ID`, `source=NAME`, `matching=REGEX`, `variable=NAME`, `deadline=SECONDS`, `kill=POINT`, `cd=FOLDER`, `offline`, `edit`,
/// `without-sources`, `without-git`, `forgets-children`, `waits`; any other argument is one of a trainer's own.
pub(crate) fn run(folder: &str, settings: &[&str]) -> Outcome {
    let named = |wanted: &str| {
        let wanted = format!("{wanted}=");
        settings.iter().filter_map(move |setting| setting.strip_prefix(&wanted)).collect::<Vec<_>>()
    };
    if let [point] = named("kill").as_slice() {
        kill_at(point, 3)?;
    }
    if let [folder] = named("cd").as_slice() {
        std::env::set_current_dir(folder)?;
    }
    let is = |wanted: &str| settings.contains(&wanted);
    if is("forgets-children") {
        forget_children();
    }
    let mode = if is("offline") { Mode::Offline } else { Mode::Embedded };
    let session = Session::builder().folder(folder).project("tests/e2e").mode(mode).open()?;
    let mut builder = match named("id").as_slice() {
        [id] if is("edit") => session.edit(id),
        [id] => session.attach(id),
        _ => session.experiment(),
    };
    builder = builder.without_hardware();
    let sources = named("source");
    if !sources.is_empty() {
        builder = builder.sources(sources);
    }
    for expression in named("matching") {
        builder = builder.sources_matching(expression);
    }
    if is("without-sources") {
        builder = builder.without_sources();
    }
    if is("without-git") {
        builder = builder.without_git();
    }
    if let [seconds] = named("deadline").as_slice() {
        builder = builder.stop_deadline(std::time::Duration::from_secs_f64(seconds.parse()?));
    }
    let experiment = builder.environment_variables(named("variable")).start()?;
    experiment.log_metric("loss", 0.5);
    say(&experiment.id().to_string())?;
    if is("waits") {
        let enough = Path::new(folder).with_extension("enough");
        while !fs::exists(&enough)? {
            std::thread::park_timeout(std::time::Duration::from_millis(5));
        }
    }
    let lost = experiment.stop()?;
    say(&if lost.is_empty() { "lost nothing".to_owned() } else { format!("lost {lost}") })
}

/// Has the system forget how children end, so that nobody can wait for one.
#[expect(unsafe_code, reason = "the disposition of a signal is changed by a call of the C library only")]
fn forget_children() {
    // SAFETY: no handler is installed.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
}
