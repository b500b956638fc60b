//! The trainings of an experiment: each has a namespace of its own, so that none writes over another's points.

use neptune_core::ExperimentHandle;

use crate::names::Namespace;

/// A namespace that is taken. Dropped, it is given back, unless it was [kept](Self::keep).
pub(crate) struct Claim {
    handle: ExperimentHandle,
    namespace: Namespace,
    is_kept: bool,
}

/// The namespace of one more training: the one that is asked for, or with a number when another training of this experiment
/// has it. Trainings are numbered in the order in which they attach, so that a program that runs again with the same
/// experiment finds each where it was.
pub(crate) fn claim(handle: &ExperimentHandle, wanted: &str) -> Claim {
    let wanted = Namespace::new(wanted);
    let mut namespace = wanted.clone();
    let mut number = 1;
    while !handle.claim(namespace.name()) {
        number += 1;
        namespace = match wanted.name() {
            "" => Namespace::new(&format!("training_{number}")),
            wanted => Namespace::new(&format!("{wanted}_{number}")),
        };
    }
    if number > 1 {
        let given = namespace.name();
        handle.notice(|| {
            format!("training {number} of this experiment logs below {given}/; name it with Hooks::namespace to choose")
        });
    }
    Claim { handle: handle.clone(), namespace, is_kept: false }
}

impl Claim {
    pub(crate) const fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Keeps the namespace for as long as the experiment runs: a training behind this one must not write over its points.
    pub(crate) fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.is_kept {
            self.handle.unclaim(self.namespace.name());
        }
    }
}
