//! Objects that variables need and that are not in the folder, or not what they were: the content is lost.

use std::{collections::HashSet, path::Path};

use neptune_core::{AtomValue, LoggedImage, ObjectId, VariableType};
use neptune_store::{
    ExperimentQuery, Store, Values, objects,
    read::{ExperimentKey, Variable, VariableValue},
};
use serde::Serialize;

use crate::{
    failure::Failure,
    inert::inert,
    media, number,
    screen::{BAD, BOLD, DIM, Screen, painted},
};

/// What can be done about objects that are missing or damaged.
pub(super) const ADVICE: &str = "the content of what is missing or damaged cannot be made again: put the folder `objects` from a \
                                 backup in its place, or log it anew";

/// How many variables are named.
const NAMED: usize = 10;

/// What is missing, or what is damaged.
#[derive(Debug, Default, Serialize)]
pub(super) struct Missing {
    /// How many objects.
    objects: u64,
    /// How many experiments have variables that hold one.
    experiments: u64,
    /// Those variables.
    variables: Vec<Affected>,
}

#[derive(Debug, Serialize)]
struct Affected {
    experiment: String,
    path: String,
    /// How many of its objects.
    objects: u64,
}

impl Missing {
    pub(super) fn of(store: &Store, folder: &Path) -> Result<Self, Failure> {
        let mut missing = store.objects_in_use()?;
        missing.retain(|object| !is_there(folder, *object));
        Self::among(store, &missing)
    }

    /// The variables that hold one of the objects `missing`.
    pub(super) fn among(store: &Store, missing: &HashSet<ObjectId>) -> Result<Self, Failure> {
        let mut found = Self { objects: missing.len() as u64, ..Self::default() };
        if missing.is_empty() {
            return Ok(found);
        }
        for row in store.experiments(&ExperimentQuery::default().limit(u64::MAX))?.rows {
            let key = store.experiment(row.id)?;
            let before = found.variables.len();
            for variable in store.variables(&key, "")? {
                let objects = lost(store, &key, &variable, missing)?;
                if objects > 0 {
                    found.variables.push(Affected { experiment: key.short_id.clone(), path: variable.path, objects });
                }
            }
            found.experiments += u64::from(found.variables.len() > before);
        }
        Ok(found)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.objects == 0
    }

    /// `what` says what they are: missing or damaged.
    pub(super) fn print(&self, screen: &mut Screen, what: &str) -> Result<(), Failure> {
        if self.is_empty() {
            return Ok(());
        }
        let (one, many) = (format!("object is {what}"), format!("objects are {what}"));
        let missing = number::counted(self.objects, &one, &many);
        let variables = number::counted(self.variables.len() as u64, "variable", "variables");
        let experiments = number::counted(self.experiments, "experiment", "experiments");
        let missing = painted(BAD, format_args!("{missing}, of {variables} of {experiments}"));
        screen.line(format_args!("{}     {missing}", painted(BOLD, "objects")))?;
        for Affected { experiment, path, objects } in self.variables.iter().take(NAMED) {
            let (id, path) = (painted(BOLD, inert(experiment)), inert(path));
            let count = if *objects > 1 { format!(" ({})", number::count(*objects)) } else { String::new() };
            screen.line(format_args!("  {id}  {path}{count}"))?;
        }
        if self.variables.len() > NAMED {
            let more = number::count((self.variables.len() - NAMED) as u64);
            screen.line(painted(DIM, format_args!("  and {more} more; --json has all")))?;
        }
        Ok(())
    }
}

/// Whether an object is in the folder: as a file, or as the pixels of an image.
fn is_there(folder: &Path, object: ObjectId) -> bool {
    let file = objects::file_of(folder, object);
    let with = |ending: &str| {
        let mut name = file.as_os_str().to_owned();
        name.push(ending);
        Path::new(&name).exists()
    };
    file.exists() || objects::PIXELS.into_iter().any(with)
}

/// How many of the objects that `variable` holds are missing.
fn lost(store: &Store, key: &ExperimentKey, variable: &Variable, missing: &HashSet<ObjectId>) -> Result<u64, Failure> {
    if let VariableValue::Atom(AtomValue::File(file)) = &variable.value {
        return Ok(u64::from(missing.contains(&file.object)));
    }
    if variable.kind != VariableType::IMAGE_SERIES {
        return Ok(0);
    }
    let points = store.series(key, &variable.path, f64::NEG_INFINITY..=f64::INFINITY)?;
    let Values::Text(texts) = points.values else { return Ok(0) };
    let objects: HashSet<ObjectId> = texts.iter().filter_map(|text| media::of::<LoggedImage>(text)?.object).collect();
    Ok(objects.intersection(missing).count() as u64)
}
