//! What the store should say, in a few maps.

use std::collections::BTreeMap;

pub(crate) type Points = BTreeMap<u64, (i64, f64)>;

/// The order of steps is that of these bits: they are not negative.
pub(crate) fn at(step: f64) -> u64 {
    assert!(step >= 0.0);
    (step + 0.0).to_bits()
}

pub(crate) fn put(points: &mut Points, step: f64, time: i64, value: f64) {
    let stored = points.entry(at(step)).or_insert((time, value));
    if stored.0 <= time {
        *stored = (time, value);
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Variable {
    pub(crate) seen: Points,
    pub(crate) aside: BTreeMap<usize, Points>,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    Deleted { path: Option<String>, first: f64, last: f64 },
    Renamed { from: String, to: String },
}

#[derive(Debug, Clone)]
pub(crate) struct Revision {
    pub(crate) what: What,
    pub(crate) writer: usize,
    pub(crate) time: i64,
    pub(crate) undone: bool,
    pub(crate) purged: bool,
}

impl Revision {
    pub(crate) fn covers(&self, name: &str, step: f64, time: i64) -> bool {
        let What::Deleted { path, first, last } = &self.what else { return false };
        let is_of = path.as_ref().map_or(!name.starts_with("monitoring/"), |path| path == name);
        !self.undone && is_of && time <= self.time && *first <= step && step <= *last
    }
}

/// What the store should say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) variables: BTreeMap<String, Variable>,
    pub(crate) revisions: Vec<Revision>,
}

impl Model {
    /// What a path of a writer is called now.
    pub(crate) fn named(&self, writer: usize, name: &str) -> String {
        let mut name = name.to_owned();
        for revision in &self.revisions {
            if let What::Renamed { from, to } = &revision.what
                && !revision.undone
                && revision.writer != writer
                && *from == name
            {
                name.clone_from(to);
            }
        }
        name
    }

    pub(crate) fn log(&mut self, writer: usize, name: &str, step: Option<f64>, time: i64, value: f64) {
        let variable = self.variables.entry(name.to_owned()).or_default();
        let step =
            step.unwrap_or_else(|| variable.seen.keys().next_back().map_or(0.0, |last| f64::from_bits(*last) + 1.0));
        let covering =
            self.revisions.iter().position(|revision| revision.writer != writer && revision.covers(name, step, time));
        let points = match covering {
            Some(revision) => variable.aside.entry(revision).or_default(),
            None => &mut variable.seen,
        };
        put(points, step, time, value);
    }

    pub(crate) fn delete_points(&mut self, revision: Revision) {
        let number = self.revisions.len();
        for (name, variable) in &mut self.variables {
            let seen = std::mem::take(&mut variable.seen);
            for (step, (time, value)) in seen {
                let points = if revision.covers(name, f64::from_bits(step), time) {
                    variable.aside.entry(number).or_default()
                } else {
                    &mut variable.seen
                };
                points.insert(step, (time, value));
            }
        }
        self.revisions.push(revision);
    }

    pub(crate) fn rename(&mut self, from: &str, to: &str) -> bool {
        if !self.variables.contains_key(from) || self.variables.contains_key(to) {
            return false;
        }
        let variable = self.variables.remove(from).unwrap();
        self.variables.insert(to.to_owned(), variable);
        for revision in &mut self.revisions {
            if let What::Deleted { path: Some(path), .. } = &mut revision.what
                && path == from
            {
                to.clone_into(path);
            }
        }
        true
    }

    pub(crate) fn undo(&mut self, number: usize) -> bool {
        let revision = self.revisions[number].clone();
        if revision.undone {
            return true;
        }
        match revision.what {
            What::Deleted { .. } => {
                if revision.purged {
                    return false;
                }
                self.revisions[number].undone = true;
                for (name, variable) in &mut self.variables {
                    for (step, (time, value)) in variable.aside.remove(&number).unwrap_or_default() {
                        let step = f64::from_bits(step);
                        let later = (number..self.revisions.len())
                            .find(|later| self.revisions[*later].covers(name, step, time));
                        let points = match later {
                            Some(later) => variable.aside.entry(later).or_default(),
                            None => &mut variable.seen,
                        };
                        put(points, step, time, value);
                    }
                }
                true
            }
            What::Renamed { from, to } => {
                let renamed = self.rename(&to, &from);
                self.revisions[number].undone = renamed;
                renamed
            }
        }
    }

    pub(crate) fn purge(&mut self) {
        for variable in self.variables.values_mut() {
            for (revision, points) in std::mem::take(&mut variable.aside) {
                self.revisions[revision].purged |= !points.is_empty();
            }
        }
    }

    pub(crate) fn fork(&self, step: f64) -> Self {
        let mut variables = BTreeMap::new();
        for (name, variable) in &self.variables {
            let seen: Points = variable.seen.range(..=at(step)).map(|(step, point)| (*step, *point)).collect();
            if !seen.is_empty() && !name.starts_with("monitoring/") {
                variables.insert(name.clone(), Variable { seen, aside: BTreeMap::new() });
            }
        }
        Self { variables, revisions: Vec::new() }
    }
}
