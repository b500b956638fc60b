//! The trainings of an experiment: each has a namespace of its own, so that none writes over another's points.

use std::sync::{Mutex, PoisonError};

use neptune_core::ExperimentHandle;

use crate::names::Namespace;

/// The experiments that run in this process, with the namespaces that their trainings took.
static ATTACHED: Mutex<Vec<(ExperimentHandle, Vec<String>)>> = Mutex::new(Vec::new());

/// The namespace of one more training: the one that is asked for, or with a number when another training of this experiment
/// has it. Trainings are numbered in the order in which they attach, so that a program that runs again with the same
/// experiment finds each where it was.
pub(crate) fn claim(handle: &ExperimentHandle, wanted: &str) -> Namespace {
    let mut attached = ATTACHED.lock().unwrap_or_else(PoisonError::into_inner);
    attached.retain(|(handle, _)| !handle.has_ended());
    let index = attached.iter().position(|(known, _)| known.is_same_writer(handle)).unwrap_or_else(|| {
        attached.push((handle.clone(), Vec::new()));
        attached.len() - 1
    });
    let taken = &mut attached[index].1;
    let mut given = wanted.trim_matches('/').to_owned();
    let mut number = 1;
    while taken.contains(&given) {
        number += 1;
        given = match wanted.trim_matches('/') {
            "" => format!("training_{number}"),
            wanted => format!("{wanted}_{number}"),
        };
    }
    if number > 1 {
        handle.notice(|| {
            format!("training {number} of this experiment logs below {given}/; name it with Hooks::namespace to choose")
        });
    }
    taken.push(given.clone());
    Namespace::new(&given)
}
