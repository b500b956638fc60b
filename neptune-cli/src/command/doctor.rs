//! `neptune doctor`: looks for damage and for work that waits.
//!
//! Without `--repair` nothing is changed, and what a repair would do is said.

mod content;
mod missing;

use std::path::{Path, PathBuf};

use neptune_core::{ErrorKind, Session, recovery::JournalSurvey, store};
use neptune_store::{Store, StoreOptions};
use serde::Serialize;

use self::{content::Content, missing::Missing};
use super::sync::Drained;
use crate::{
    cli,
    failure::{Exit, Failure},
    inert::inert,
    number, reading,
    screen::{BAD, BOLD, DIM, GOING, GOOD, ODD, Screen, painted},
};

pub(crate) fn run(screen: &mut Screen, folder: &Path, doctor: &cli::Doctor) -> Result<Exit, Failure> {
    let session = reading::session_of_something(folder)?;
    let mut report = Report::of(folder, &session, doctor.objects)?;
    let mut repaired = None;
    // Nothing is drained into a store that is damaged: the journals are the better copy.
    if doctor.repair && report.store.is_empty() {
        repaired = Some(Drained::of(&reading::recover(&session)?, folder)?);
        report = Report::of(folder, &session, doctor.objects)?;
    }
    if screen.json {
        screen.document(&Examined { healthy: report.is_well(), repaired: repaired.as_ref(), report: &report })?;
    } else {
        if let Some(repaired) = &repaired {
            repaired.print(screen)?;
            screen.line("")?;
        }
        report.print(screen)?;
    }
    Ok(if report.is_well() { Exit::Fine } else { Exit::Unwell })
}

/// What was found.
#[derive(Debug, Default, Serialize)]
struct Report {
    /// Whether there is a store at all: offline programs make none.
    has_store: bool,
    /// What is wrong with the store, a line for each place.
    store: Vec<String>,
    missing: Missing,
    /// What the content of objects is, where somebody asked.
    content: Option<Content>,
    journals: Vec<Journal>,
    /// Folders of journals that were being made when their process died.
    unfinished: Vec<PathBuf>,
    /// Segments that were set aside because of damage, by an earlier repair.
    quarantined: Vec<PathBuf>,
}

/// What was found about one journal.
#[derive(Debug, Serialize)]
struct Journal {
    /// The short id; the UUID of an experiment that never reached the store.
    experiment: String,
    writer: String,
    folder: PathBuf,
    alive: bool,
    segments: u64,
    bytes: u64,
    waiting: u64,
    damaged: u64,
    lost: String,
    obstacle: Option<String>,
}

/// The result in JSON.
#[derive(Serialize)]
struct Examined<'a> {
    healthy: bool,
    repaired: Option<&'a Drained>,
    #[serde(flatten)]
    report: &'a Report,
}

impl Report {
    fn of(folder: &Path, session: &Session, with_content: bool) -> Result<Self, Failure> {
        let mut report = Self { has_store: true, ..Self::default() };
        let store = match Store::open_existing(folder, StoreOptions::default()) {
            Ok(store) => Some(store),
            Err(error) if error.kind() == store::ErrorKind::NotFound => {
                report.has_store = false;
                None
            }
            Err(error) if error.kind() == store::ErrorKind::Corrupt => {
                report.store.push(finding(&error));
                None
            }
            Err(error) => return Err(error.into()),
        };
        match store.as_ref().map_or_else(|| Ok(Vec::new()), Store::check) {
            Ok(found) => report.store.extend(found),
            Err(error) if error.kind() == store::ErrorKind::Corrupt => report.store.push(finding(&error)),
            Err(error) => return Err(error.into()),
        }
        if let Some(store) = store.as_ref().filter(|_| report.store.is_empty()) {
            report.missing = Missing::of(store, folder)?;
            if with_content {
                report.content = Some(Content::of(store, folder)?);
            }
        }
        let survey = match session.survey() {
            Ok(survey) => survey,
            // The store could not say what it has of a journal.
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                report.store.push(finding(&error));
                return Ok(report);
            }
            Err(error) => return Err(error.into()),
        };
        let name = |journal: &JournalSurvey| match store.as_ref().map(|store| store.experiment(journal.experiment)) {
            Some(Ok(found)) => found.short_id,
            _ => journal.experiment.to_string(),
        };
        report.journals.extend(survey.journals.iter().map(|journal| Journal {
            experiment: name(journal),
            writer: journal.writer.to_string(),
            folder: journal.folder.clone(),
            alive: journal.alive,
            segments: journal.segments,
            bytes: journal.bytes,
            waiting: journal.waiting,
            damaged: journal.damaged,
            lost: journal.lost.to_string(),
            obstacle: journal.obstacle.clone(),
        }));
        report.unfinished = survey.unfinished;
        report.quarantined = survey.quarantined;
        Ok(report)
    }

    /// What lies in quarantine was seen to already, and to an unfinished folder nothing was logged.
    fn is_well(&self) -> bool {
        let is_content_well = self.content.as_ref().is_none_or(Content::is_well);
        let is_whole = self.store.is_empty() && self.missing.is_empty() && is_content_well;
        is_whole && self.journals.iter().all(|journal| journal.alive)
    }

    fn print(&self, screen: &mut Screen) -> Result<(), Failure> {
        if self.store.is_empty() {
            let found = if self.has_store { painted(GOOD, "no damage found") } else { "none yet".to_owned() };
            screen.line(format_args!("{}       {found}", painted(BOLD, "store")))?;
        }
        for line in &self.store {
            screen.line(format_args!("{}       {}", painted(BOLD, "store"), painted(BAD, inert(line))))?;
        }
        self.missing.print(screen, "missing")?;
        if let Some(content) = &self.content {
            content.print(screen)?;
        }
        let journals = number::counted(self.journals.len() as u64, "journal", "journals");
        screen.line(format_args!("{}    {journals}", painted(BOLD, "journals")))?;
        for journal in &self.journals {
            journal.print(screen)?;
        }
        let unfinished = "begun by a program that died before it logged anything";
        let quarantined = "set aside because of damage; `neptune gc --quarantine` deletes it";
        for (title, paths, what) in
            [("unfinished", &self.unfinished, unfinished), ("quarantine", &self.quarantined, quarantined)]
        {
            for path in paths {
                let path = inert(&path.display().to_string());
                screen.line(format_args!(
                    "{}  {path} {}",
                    painted(BOLD, title),
                    painted(DIM, format_args!("({what})"))
                ))?;
            }
        }
        self.advice().map_or(Ok(()), |advice| screen.line(format_args!("\n{advice}")))
    }

    /// What can be done about it.
    fn advice(&self) -> Option<String> {
        if !self.store.is_empty() {
            let advice = "the store is damaged and a repair cannot mend it, so nothing is drained into it: `neptune export` \
                          what can still be read, then put its file from a backup in its place";
            return Some(advice.to_owned());
        }
        let dead = || self.journals.iter().filter(|journal| !journal.alive && journal.obstacle.is_none());
        let (waiting, damaged) =
            dead().fold((0, 0), |(waiting, damaged), journal| (waiting + journal.waiting, damaged + journal.damaged));
        let mut repair = Vec::new();
        if dead().next().is_some() {
            let records = number::counted(waiting, "record", "records");
            let journals = number::counted(dead().count() as u64, "journal", "journals");
            repair.push(format!("drain {records} from {journals} and mark what did not end as failed"));
        }
        if damaged > 0 {
            let stretches = number::counted(damaged, "damaged stretch", "damaged stretches");
            repair.push(format!("count {stretches} as lost and set the segments with them aside"));
        }
        if !self.unfinished.is_empty() {
            let folders = number::counted(self.unfinished.len() as u64, "unfinished folder", "unfinished folders");
            repair.push(format!("remove {folders}"));
        }
        let is_content_well = self.content.as_ref().is_none_or(Content::is_well);
        if repair.is_empty() && !(self.missing.is_empty() && is_content_well) {
            return Some(missing::ADVICE.to_owned());
        }
        (!repair.is_empty()).then(|| format!("`neptune doctor --repair` would {}", repair.join("; ")))
    }
}

/// An error as a finding: elsewhere it sends people here.
fn finding(error: &impl ToString) -> String {
    error.to_string().replace("; see neptune doctor", "")
}

impl Journal {
    fn print(&self, screen: &mut Screen) -> Result<(), Failure> {
        let state = if self.alive {
            painted(GOING, "alive: its program is logging")
        } else if let Some(obstacle) = &self.obstacle {
            painted(BAD, format_args!("dead, and cannot be drained: {}", inert(obstacle)))
        } else if self.damaged > 0 {
            let damaged = number::counted(self.damaged, "damaged stretch", "damaged stretches");
            let waiting = number::counted(self.waiting, "record waits", "records wait");
            painted(BAD, format_args!("dead, {damaged}, {waiting}"))
        } else {
            painted(ODD, format_args!("dead, {}", number::counted(self.waiting, "record waits", "records wait")))
        };
        screen.line(format_args!("  {}  {state}", painted(BOLD, inert(&self.experiment))))?;
        if !self.alive {
            let size = indicatif::BinaryBytes(self.bytes);
            let segments = number::counted(self.segments, "segment", "segments");
            let folder = inert(&self.folder.display().to_string());
            screen.line(painted(DIM, format_args!("      {segments}, {size}, {folder}")))?;
            if self.lost != "nothing" {
                screen.line(format_args!("      its program could not keep {}", inert(&self.lost)))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(alive: bool, waiting: u64, damaged: u64, obstacle: Option<&str>) -> Journal {
        Journal {
            experiment: "MNI-1".into(),
            writer: String::new(),
            folder: PathBuf::new(),
            alive,
            segments: 1,
            bytes: 1,
            waiting,
            damaged,
            lost: "nothing".into(),
            obstacle: obstacle.map(str::to_owned),
        }
    }

    #[test]
    fn a_folder_is_well_when_nothing_waits_in_it() {
        let with = |journals| Report { journals, ..Report::default() };
        assert!(with(vec![]).is_well());
        assert!(with(vec![journal(true, 0, 0, None)]).is_well());
        assert!(!with(vec![journal(false, 0, 0, None)]).is_well(), "its experiment is still shown as running");
        assert!(!Report { store: vec!["row 3 is missing".into()], ..Report::default() }.is_well());
        assert!(Report { quarantined: vec![PathBuf::new()], ..Report::default() }.is_well());
    }

    #[test]
    fn the_advice_says_what_a_repair_would_do_and_what_it_would_not() {
        let report = Report {
            journals: vec![journal(false, 1000, 0, None), journal(false, 5, 2, None), journal(false, 9, 0, Some("no"))],
            ..Report::default()
        };
        let advice = report.advice().unwrap();
        assert!(advice.contains("1,005 records from 2 journals"), "{advice}");
        assert!(advice.contains("2 damaged stretches"), "{advice}");
        assert_eq!(Report::default().advice(), None);
        let report = Report { store: vec!["row 3 is missing".into()], ..report };
        assert!(!report.advice().unwrap().contains("--repair"), "nothing is drained into a store that is damaged");
    }
}
