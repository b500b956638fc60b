//! An example that trains, run as a user runs it: killed and resumed, and aborted.

use neptune_core::store::{
    Store,
    read::{ExperimentKey, VariableValue},
};

use crate::{Folder, Trainer, wait_for};

/// An example that trains on the digits and saves checkpoints.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// Its name.
    pub name: &'static str,
    /// A step at which a checkpoint was saved and the training is not done by far.
    pub some_checkpoint: f64,
    /// The number of its first step.
    pub first_step: u32,
}

impl Example {
    /// Starts it and waits until it has a checkpoint of `step` or a later one.
    fn started_and_at(self, folder: &Folder, step: f64) -> (Trainer, Store, ExperimentKey) {
        let trainer = Trainer::example(self.name, [] as [&str; 0], folder);
        let key = folder.started_experiment();
        let store = folder.store();
        wait_for("a checkpoint", || latest(&store, &key).filter(|latest| *latest >= step));
        (trainer, store, key)
    }

    /// It is killed in the middle and started again: it goes on from its last checkpoint in one continuous curve, learns,
    /// and succeeds.
    ///
    /// # Panics
    /// When it does not.
    pub fn goes_on_behind_a_kill(self) {
        let folder = Folder::new();
        let (trainer, store, key) = self.started_and_at(&folder, self.some_checkpoint);
        trainer.kill();
        let before = latest(&store, &key);
        assert!(Trainer::example(self.name, [&key.short_id], &folder).wait().success());
        assert_eq!(text(&store, &key, "sys/state"), "succeeded");
        assert!(latest(&store, &key) > before, "it went on");
        for path in ["train/loss", "train/learning_rate"] {
            let steps = store.series(&key, path, f64::NEG_INFINITY..=f64::INFINITY).expect("it was logged").steps;
            let whole: Vec<f64> = (self.first_step..).map(f64::from).take(steps.len()).collect();
            assert_eq!(steps, whole, "{path} has a gap");
            assert!(steps.len() > 300, "{path}: {}", steps.len());
        }
        let loss = store.series(&key, "train/loss", f64::NEG_INFINITY..=f64::INFINITY).expect("it was logged");
        let losses = loss.values.as_floats().expect("a loss is a number");
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        assert!(mean(&losses[losses.len() - 50..]) < 0.2 * mean(&losses[..20]), "it learned");
        let variables = store.variables(&key, "").expect("the store can be read");
        let kinds: Vec<String> = variables.iter().map(|found| found.kind.to_string()).collect();
        for kind in ["Series(image)", "Series(histogram)", "Atom(file)"] {
            assert!(kinds.iter().any(|found| found == kind), "nothing of {kind} was logged");
        }
        assert!(folder.files(".pam").is_empty(), "all images are encoded");
    }

    /// It is asked from outside to abort: it ends aborted, with the reason, and its process succeeds.
    ///
    /// # Panics
    /// When it does not.
    pub fn is_aborted_from_outside(self) {
        let folder = Folder::new();
        let (trainer, store, key) = self.started_and_at(&folder, 1.0);
        let asked = folder.session().request_abort(&key.short_id, "enough seen").expect("the folder can be written");
        assert_eq!(asked, 1);
        assert!(trainer.wait().success());
        assert_eq!(text(&store, &key, "sys/state"), "aborted");
        assert_eq!(text(&store, &key, "sys/failure"), "enough seen");
    }
}

/// The step of the newest checkpoint, once there is one.
fn latest(store: &Store, key: &ExperimentKey) -> Option<f64> {
    match store.variable(key, "checkpoints/latest").ok()?.value {
        VariableValue::Atom(value) => value.as_f64(),
        _ => None,
    }
}

fn text(store: &Store, key: &ExperimentKey, path: &str) -> String {
    match store.variable(key, path).expect("the variable is there").value {
        VariableValue::Atom(value) => value.as_str().expect("the variable is text").to_owned(),
        other => panic!("{path} is {other:?}"),
    }
}
