//! A batch of entries on its way into the tables: points are gathered by series, everything else is done in order.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use neptune_format::{
    Container, Content, Document as _, Entry, LoggedImage, LostReason, LostReport, ObjectId, Record, Timestamp,
    VariablePath, VariableType,
};
use rusqlite::Transaction;

use super::{
    aside, changing, forking,
    interned::{Defined, Interned},
    late::Late,
    lifecycle::{self, LossSource},
    points,
    revisions::{self, Others},
    transaction::WriterKey,
    variables,
};
use crate::{
    chunk::{Points, Values},
    error::Result,
};

/// The project of experiments whose first record was lost.
const RECOVERED: &str = "recovered/experiments";

/// The rows that the entries of this batch belong to; known once the writer is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    pub(super) experiment_id: i64,
    pub(super) writer_id: i64,
    pub(super) opened_us: i64,
}

/// The points of one series in this batch.
struct Gathered {
    content: Content,
    points: Points,
    /// The greatest step so far, in the store or in this batch: a point without a step goes behind it.
    last_step: Option<f64>,
    /// The objects that the points need.
    objects: Vec<ObjectId>,
    /// Points that another writer deleted before they came.
    late: Late,
}

impl Gathered {
    /// Where a point goes, and its step: the one that was given, or the one behind the last.
    fn place(&mut self, given: Option<f64>, time: Timestamp) -> (f64, &mut Points) {
        if let Some((step, points)) = self.late.place(self.content, given, self.last_step, time) {
            return (step, points);
        }
        let step = given.unwrap_or_else(|| points::step_behind(self.last_step));
        self.last_step = Some(self.last_step.map_or(step, |last| last.max(step)));
        (step, &mut self.points)
    }
}

pub(super) struct Batch<'t, 's> {
    transaction: &'t Transaction<'s>,
    interned: &'t mut Interned,
    key: WriterKey,
    owner: Option<Owner>,
    gathered: Vec<(Defined, Gathered)>,
    /// Where in `gathered` a variable is. A journal may have several numbers for one path, as handles from before and behind
    /// a deletion do, and their points must not take each other's steps.
    by_variable: HashMap<Defined, usize, RandomState>,
    /// Where in `gathered` the variable of a number is, of those that were met.
    by_number: HashMap<u32, usize, RandomState>,
    refused: LostReport,
    /// Read when it is first needed, and again when this writer changed what was logged.
    others: Option<Others>,
}

impl<'t, 's> Batch<'t, 's> {
    pub(super) fn new(transaction: &'t Transaction<'s>, interned: &'t mut Interned, key: WriterKey) -> Self {
        Self {
            transaction,
            interned,
            key,
            owner: None,
            gathered: Vec::new(),
            by_variable: HashMap::default(),
            by_number: HashMap::default(),
            refused: LostReport::default(),
            others: None,
        }
    }

    pub(super) fn push(&mut self, entry: Entry<'_>) -> Result<()> {
        match entry {
            Entry::Float { series, time, step, value } => {
                let gathered = self.gathered(series, Content::Float)?;
                let (step, points) = gathered.place(step, time);
                points.steps.push(step);
                points.times.push(time.as_micros());
                match &mut points.values {
                    Values::Float(values) => values.push(value),
                    Values::Text(values) => values.push(value.to_string()),
                }
            }
            Entry::Text { series, time, step, text } => {
                let gathered = self.gathered(series, Content::String)?;
                if gathered.content == Content::Image {
                    gathered.objects.extend(LoggedImage::from_text(text).and_then(|image| image.object));
                }
                let (step, points) = gathered.place(step, time);
                points.steps.push(step);
                points.times.push(time.as_micros());
                match &mut points.values {
                    Values::Text(values) => values.push(text.to_owned()),
                    Values::Float(values) => values.push(text.parse().unwrap_or(f64::NAN)),
                }
            }
            Entry::Record(record) => self.record(*record)?,
            Entry::End | Entry::Skip => {}
        }
        Ok(())
    }

    /// Writes what was gathered and returns what had to be refused.
    pub(super) fn finish(mut self, damaged: u64) -> Result<LostReport> {
        self.write_gathered()?;
        let owner = self.owner()?;
        if damaged > 0 {
            lifecycle::add_loss(self.transaction, owner, LossSource::Damage, LostReason::Damaged, damaged)?;
        }
        for (reason, count) in self.refused.iter() {
            lifecycle::add_loss(self.transaction, owner, LossSource::Store, reason, count)?;
        }
        Ok(self.refused)
    }

    fn owner(&mut self) -> Result<Owner> {
        if let Some(owner) = self.owner {
            return Ok(owner);
        }
        let owner = if let Some(owner) = lifecycle::owner(self.transaction, self.key)? {
            owner
        } else {
            // The first record of the journal was damaged. What follows is whole, so it is kept where it can be found.
            let project = RECOVERED.parse().expect("a valid project name");
            let opening = lifecycle::Opening {
                project: &project,
                time: self.key.writer.created(),
                host: "unknown",
                pid: 0,
                owner: "unknown",
                edits: false,
            };
            lifecycle::open(self.transaction, self.interned, self.key, &opening)?
        };
        self.owner = Some(owner);
        Ok(owner)
    }

    #[inline]
    fn gathered(&mut self, series: u32, content: Content) -> Result<&mut Gathered> {
        let place = match self.by_number.get(&series) {
            Some(place) => *place,
            None => self.place_of(series, content)?,
        };
        Ok(&mut self.gathered.get_mut(place).expect("both maps are emptied with it").1)
    }

    fn place_of(&mut self, series: u32, content: Content) -> Result<usize> {
        let defined = self.defined(series, content)?;
        let place = if let Some(place) = self.by_variable.get(&defined) {
            *place
        } else {
            let gathered = self.begin_series(defined)?;
            self.gathered.push((defined, gathered));
            self.by_variable.insert(defined, self.gathered.len() - 1);
            self.gathered.len() - 1
        };
        self.by_number.insert(series, place);
        Ok(place)
    }

    fn defined(&mut self, series: u32, content: Content) -> Result<Defined> {
        let owner = self.owner()?;
        if let Some(defined) = self.interned.defined(self.transaction, owner.writer_id, series)? {
            return Ok(defined);
        }
        // The record that names this series was damaged. Its points are whole, so they are kept under a name that says so.
        let path = VariablePath::new(&format!("recovered/{}/{series}", self.key.writer))
            .expect("a UUID and a number make a valid path");
        self.define(series, &path, content)
    }

    fn begin_series(&mut self, defined: Defined) -> Result<Gathered> {
        let owner = self.owner()?;
        let last_step = match defined.path_id {
            Some(path_id) => variables::last_step(self.transaction, owner.experiment_id, path_id)?,
            None => None,
        };
        let points = Points::none_of(defined.kind.content).unwrap_or_default();
        let transaction = self.transaction;
        let late = match defined.path_id {
            Some(path_id) => revisions::of_series(transaction, &self.others()?.deletions, path_id)?,
            None => Vec::new(),
        };
        Ok(Gathered { content: defined.kind.content, points, last_step, objects: Vec::new(), late: Late::new(late) })
    }

    /// What the other writers of the experiment did.
    fn others(&mut self) -> Result<&Others> {
        let owner = self.owner()?;
        let others = match self.others.take() {
            Some(others) => others,
            None => Others::of(self.transaction, owner)?,
        };
        Ok(self.others.insert(others))
    }

    /// The number of a path, of what the variable is called now.
    fn path(&mut self, path: &VariablePath) -> Result<i64> {
        let path_id = self.interned.path(self.transaction, path)?;
        Ok(self.others()?.path_of(path_id))
    }

    fn define(&mut self, series: u32, path: &VariablePath, content: Content) -> Result<Defined> {
        let owner = self.owner()?;
        let kind = VariableType { container: Container::Series, content };
        let path_id = self.path(path)?;
        let taken = variables::kind(self.transaction, owner.experiment_id, path_id)?;
        let fits = taken.is_none_or(|taken| taken == kind);
        let defined = Defined { path_id: fits.then_some(path_id), kind };
        self.interned.define(self.transaction, owner.writer_id, series, defined)?;
        self.by_number.remove(&series);
        Ok(defined)
    }

    fn write_gathered(&mut self) -> Result<()> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let owner = self.owner()?;
        let stays = self.others()?.stays;
        self.by_variable.clear();
        self.by_number.clear();
        let mut all = std::mem::take(&mut self.gathered);
        // In one order, so that the same journal always makes the same store.
        all.sort_unstable_by_key(|(defined, _)| (defined.path_id, defined.kind.code()));
        for (defined, gathered) in all {
            let late = gathered.late.into_covered();
            let count = late.iter().fold(gathered.points.len(), |count, (_, points)| count + points.len()) as u64;
            let written = match defined.path_id {
                Some(path_id) => {
                    let variable = variables::Key { experiment_id: owner.experiment_id, path_id };
                    let mut written = points::write(self.transaction, variable, defined.kind, gathered.points, stays)?;
                    for (revision, points) in late {
                        written &= aside::add(self.transaction, variable, defined.kind, revision, points)?;
                    }
                    if written {
                        variables::use_objects(self.transaction, variable, &gathered.objects)?;
                    }
                    written
                }
                None => false,
            };
            if !written {
                self.refused.add(LostReason::TypeConflict, count);
            }
        }
        Ok(())
    }

    fn record(&mut self, record: Record) -> Result<()> {
        let edits = matches!(record, Record::Editing { .. });
        if let Record::Opened { project, time, host, pid, owner }
        | Record::Editing { project, time, host, pid, owner } = record
        {
            let opening = lifecycle::Opening { project: &project, time, host: &host, pid, owner: &owner, edits };
            self.owner = Some(lifecycle::open(self.transaction, self.interned, self.key, &opening)?);
            return Ok(());
        }
        let owner = self.owner()?;
        let refused = match record {
            Record::Define { series, path, content } => {
                self.define(series, &path, content)?;
                None
            }
            Record::Assign { path, value } => {
                let variable = self.variable(owner, &path)?;
                variables::assign(self.transaction, variable, &path, &value)?
            }
            Record::AddMembers { path, members } => {
                let variable = self.variable(owner, &path)?;
                variables::change_set(self.transaction, variable, variables::SetChange::Add, &members)?
            }
            Record::RemoveMembers { path, members } => {
                let variable = self.variable(owner, &path)?;
                variables::change_set(self.transaction, variable, variables::SetChange::Remove, &members)?
            }
            Record::ResetMembers { path, members } => {
                let variable = self.variable(owner, &path)?;
                variables::change_set(self.transaction, variable, variables::SetChange::Reset, &members)?
            }
            Record::Delete { path } => {
                self.write_gathered()?;
                let variable = self.variable(owner, &path)?;
                variables::delete(self.transaction, variable)?;
                None
            }
            Record::Panicked { message, .. } => {
                lifecycle::panicked(self.transaction, owner, &message)?;
                None
            }
            Record::Closed { time, outcome, reason } => {
                self.write_gathered()?;
                points::seal_tails(self.transaction, owner.experiment_id)?;
                let writer = self.key.writer;
                lifecycle::close(self.transaction, self.interned, writer, time, outcome, reason.as_deref())?;
                None
            }
            change => self.change(owner, change)?,
        };
        if let Some(reason) = refused {
            self.refused.add(reason, 1);
        }
        Ok(())
    }

    /// Records that change what was logged before them.
    fn change(&mut self, owner: Owner, record: Record) -> Result<Option<LostReason>> {
        self.write_gathered()?;
        let refused = match record {
            Record::DeletePoints { revision, path, first, last, time } => {
                let path_id = path.map(|path| self.path(&path)).transpose()?;
                changing::delete_points(self.transaction, owner, revision, path_id, (first, last), time)?
            }
            Record::Rename { revision, from, to, time } => {
                let paths = [(&from, self.path(&from)?), (&to, self.path(&to)?)];
                changing::rename(self.transaction, self.interned, owner, revision, paths, time)?
            }
            Record::Undo { revision, .. } => changing::undo(self.transaction, self.interned, owner, revision)?,
            Record::Forked { parent, step, .. } => {
                forking::fork(self.transaction, self.interned, owner.experiment_id, parent, step)?
            }
            // How a writer opens was dealt with before; a record of a newer version cannot get here, its journal was refused.
            _ => None,
        };
        self.others = None;
        Ok(refused)
    }

    fn variable(&mut self, owner: Owner, path: &VariablePath) -> Result<variables::Key> {
        let path_id = self.path(path)?;
        Ok(variables::Key { experiment_id: owner.experiment_id, path_id })
    }
}
