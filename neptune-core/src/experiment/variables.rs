//! What this process knows of the variables of its experiment: their types, and the numbers of their series.
//!
//! Invariant: a series has its number here before any point of it is logged, and its name is in the journal before that.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use foldhash::fast::RandomState;
use neptune_format::{AtomValue, Container, Content, LostReason, Record, VariablePath, VariableType};

use crate::{
    error::{Error, ErrorKind},
    journal::Journal,
};

/// Stands for a name that was refused, so that the refusal is looked up as fast as a series.
const REFUSED: u32 = u32::MAX;

type ByName = HashMap<Box<str>, u32, RandomState>;

#[derive(Debug, Default)]
pub(super) struct Variables {
    known: Mutex<Known>,
    /// The metrics that were logged by name.
    pub(super) metrics: Names,
    /// The texts that were logged by name.
    pub(super) texts: Names,
}

#[derive(Debug, Default)]
struct Known {
    variables: HashMap<VariablePath, Variable, RandomState>,
    next_series: u32,
}

#[derive(Debug)]
struct Variable {
    kind: VariableType,
    /// Whether it was written before this process attached to the experiment.
    existed: bool,
    /// Its number in the journal, once this process logged to it.
    series: Option<u32>,
    /// The value of a parameter, which never changes.
    fixed: Option<AtomValue>,
}

/// Why a write was refused.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Refusal {
    TypeConflict {
        path: VariablePath,
        existing: VariableType,
        wanted: VariableType,
    },
    Immutable {
        path: VariablePath,
    },
    TooManySeries,
    /// The journal did not take it, which it has counted.
    NotKept {
        path: VariablePath,
        reason: LostReason,
    },
}

impl Refusal {
    pub(super) const fn reason(&self) -> LostReason {
        match self {
            Self::TypeConflict { .. } => LostReason::TypeConflict,
            Self::Immutable { .. } => LostReason::Immutable,
            Self::TooManySeries => LostReason::TooManySeries,
            Self::NotKept { reason, .. } => *reason,
        }
    }

    pub(super) fn message(&self) -> String {
        match self {
            Self::TypeConflict { path, existing, wanted } => {
                format!("{path} is {existing} and cannot take {wanted}; use another path")
            }
            Self::Immutable { path } => {
                format!("{path} is a parameter and has another value already; use a property for what changes")
            }
            Self::TooManySeries => "this writer has no number left for another series".to_owned(),
            Self::NotKept { path, reason } => format!("{path} is not kept: {}", reason.explanation()),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let kind = match refusal {
            Refusal::TypeConflict { .. } => ErrorKind::TypeConflict,
            Refusal::Immutable { .. } => ErrorKind::Immutable,
            Refusal::NotKept { reason: LostReason::TooLarge, .. } => ErrorKind::Invalid,
            Refusal::TooManySeries | Refusal::NotKept { reason: LostReason::Stopped | LostReason::Forked, .. } => {
                ErrorKind::Unsupported
            }
            Refusal::NotKept { .. } => ErrorKind::Unavailable,
        };
        Self::new(kind, refusal.message())
    }
}

impl Variables {
    /// Knows the types of variables that were written before this process.
    #[cfg(feature = "embedded")]
    pub(super) fn with_existing(
        existing: impl IntoIterator<Item = (VariablePath, VariableType, Option<AtomValue>)>,
    ) -> Self {
        let variables = Self::default();
        let mut known = lock(&variables.known);
        for (path, kind, value) in existing {
            let fixed = value.filter(|_| is_parameter(&path));
            known.variables.insert(path, Variable { kind, existed: true, series: None, fixed });
        }
        drop(known);
        variables
    }

    /// The number of a series; names it in the journal when it is new.
    pub(super) fn series(&self, journal: &Journal, path: &VariablePath, content: Content) -> Result<u32, Refusal> {
        let wanted = VariableType { container: Container::Series, content };
        let mut known = lock(&self.known);
        let next = known.next_series;
        let variable = known.of(path, wanted)?;
        if let Some(series) = variable.series {
            return Ok(series);
        }
        if next == REFUSED {
            return Err(Refusal::TooManySeries);
        }
        variable.series = Some(next);
        known.next_series = next + 1;
        journal.record(&Record::Define { series: next, path: path.clone(), content });
        Ok(next)
    }

    /// Whether an atom may take `value`, and what it becomes: a whole number where floats are kept becomes one.
    /// `None` when a parameter has that value already.
    pub(super) fn atom(&self, path: &VariablePath, value: AtomValue) -> Result<Option<AtomValue>, Refusal> {
        let mut known = lock(&self.known);
        let existing = known.variables.get(path).map(|variable| variable.kind);
        let value = match (existing, value) {
            (Some(existing), AtomValue::Int(whole)) if existing == VariableType::atom(Content::Float) => {
                AtomValue::Float(whole as f64)
            }
            (_, value) => value,
        };
        let variable = known.of(path, VariableType::atom(value.content()))?;
        if is_parameter(path) {
            match &variable.fixed {
                Some(fixed) if is_same(fixed, &value) => return Ok(None),
                Some(_) => return Err(Refusal::Immutable { path: path.clone() }),
                None => variable.fixed = Some(value.clone()),
            }
        }
        Ok(Some(value))
    }

    /// Hears that the value of a parameter was not kept: it may be set again, to another one too.
    pub(super) fn unfix(&self, path: &VariablePath) {
        if let Some(variable) = lock(&self.known).variables.get_mut(path) {
            variable.fixed = None;
        }
    }

    /// Whether `path` may be a set.
    pub(super) fn set(&self, path: &VariablePath) -> Result<(), Refusal> {
        lock(&self.known).of(path, VariableType::STRING_SET).map(|_| ())
    }

    /// Whether the variable was written before this process attached to the experiment.
    #[cfg(feature = "embedded")]
    pub(super) fn was_there_before(&self, path: &VariablePath) -> bool {
        lock(&self.known).variables.get(path).is_some_and(|variable| variable.existed)
    }

    /// The type of a variable, as far as this process knows it.
    pub(super) fn kind(&self, path: &VariablePath) -> Option<VariableType> {
        lock(&self.known).variables.get(path).map(|variable| variable.kind)
    }

    /// Forgets a variable that is deleted: its path may take another type.
    pub(super) fn delete(&self, path: &VariablePath) {
        let mut known = lock(&self.known);
        known.variables.remove(path);
        drop(known);
        self.forget_names();
    }

    /// Has a variable take another path, with the number of its series; `false` when one is there already. What is written
    /// under either path meanwhile waits until `record` is in the journal.
    pub(super) fn rename<T>(
        &self,
        from: &VariablePath,
        to: &VariablePath,
        record: impl FnOnce() -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let mut known = lock(&self.known);
        if known.variables.contains_key(to) {
            return Ok(None);
        }
        let recorded = record()?;
        if let Some(variable) = known.variables.remove(from) {
            known.variables.insert(to.clone(), variable);
        }
        drop(known);
        self.forget_names();
        Ok(Some(recorded))
    }

    /// Has every name looked up anew.
    fn forget_names(&self) {
        self.metrics.forget();
        self.texts.forget();
    }
}

impl Known {
    /// The variable at `path`, made with the wanted type when there is none.
    fn of(&mut self, path: &VariablePath, wanted: VariableType) -> Result<&mut Variable, Refusal> {
        let variable = self.variables.entry(path.clone()).or_insert(Variable {
            kind: wanted,
            existed: false,
            series: None,
            fixed: None,
        });
        if variable.kind == wanted {
            Ok(variable)
        } else {
            Err(Refusal::TypeConflict { path: path.clone(), existing: variable.kind, wanted })
        }
    }
}

/// What is known of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    Series(u32),
    Refused,
    Unknown,
}

/// Numbers of series by the name they are logged under.
#[derive(Debug, Default)]
pub(super) struct Names {
    by_name: RwLock<ByName>,
    /// How often all were forgotten. What was found out before must not be remembered behind it.
    forgotten: AtomicU64,
}

/// Names, held for reading: many are looked up under one lock. Never held while anything is logged that may wait.
pub(super) struct Reading<'a>(RwLockReadGuard<'a, ByName>);

impl Names {
    #[inline]
    pub(super) fn read(&self) -> Reading<'_> {
        Reading(self.by_name.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// To be asked before a number is found out.
    pub(super) fn times_forgotten(&self) -> u64 {
        self.forgotten.load(Ordering::Acquire)
    }

    /// Remembers the number of a name, or that it was refused; not when names were forgotten since it was found out.
    pub(super) fn remember(&self, name: &str, series: Option<u32>, times_forgotten: u64) {
        let mut by_name = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        if self.times_forgotten() == times_forgotten {
            by_name.insert(name.into(), series.unwrap_or(REFUSED));
        }
    }

    fn forget(&self) {
        self.forgotten.fetch_add(1, Ordering::Release);
        self.by_name.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Reading<'_> {
    #[inline]
    pub(super) fn get(&self, name: &str) -> Named {
        match self.0.get(name) {
            Some(&REFUSED) => Named::Refused,
            Some(&series) => Named::Series(series),
            None => Named::Unknown,
        }
    }
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether both are one value; NaN is one too.
fn is_same(left: &AtomValue, right: &AtomValue) -> bool {
    let is_nan = |value: &AtomValue| matches!(value, AtomValue::Float(number) if number.is_nan());
    left == right || (is_nan(left) && is_nan(right))
}

fn is_parameter(path: &VariablePath) -> bool {
    path.as_str().starts_with("parameters/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_was_found_before_a_renaming_is_not_remembered_behind_it() {
        let variables = Variables::default();
        let names = &variables.metrics;
        let found = names.times_forgotten();
        let (from, to) = (VariablePath::new("logs/a").unwrap(), VariablePath::new("logs/b").unwrap());
        assert_eq!(variables.rename(&from, &to, || Ok(())).unwrap(), Some(()));
        names.remember("a", Some(5), found);
        assert_eq!(names.read().get("a"), Named::Unknown, "it stands for logs/b now");
        names.remember("a", Some(6), names.times_forgotten());
        assert_eq!(names.read().get("a"), Named::Series(6));
    }
}
