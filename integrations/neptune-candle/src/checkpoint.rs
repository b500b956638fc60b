//! Saving the model as versions of the experiment, and going on from one.
//!
//! A version exists when all of its files are safe. The step of a version is the number of steps that its weights have
//! seen, which is the number of the step that comes next.

use std::collections::{BTreeMap, HashMap};

use candle_core::Tensor;
use neptune_core::ArtifactSource;

use crate::{
    error::{Error, ErrorKind, Result},
    parameters::parameters,
    tracker::Tracker,
    weights,
};

/// The file of the model in a version.
const MODEL: &str = "model.safetensors";

/// The file of what else was saved.
const EXTRA: &str = "extra.safetensors";

/// The version of what is written here; a reader refuses a newer one.
const FORMAT: u32 = 1;

/// The name of [`FORMAT`] in the metadata.
const FORMAT_KEY: &str = "neptune_format";

/// What [`Tracker::restore`] restored.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Restored {
    /// How many steps the model has seen: the number of the step that comes next.
    pub step: u64,
    /// The metric that it was saved with.
    pub metric: Option<f64>,
    /// What [`Tracker::checkpoint_with`] was given, by name, on the CPU.
    pub extra: HashMap<String, Tensor>,
}

impl Tracker {
    /// Saves the variables of the model as a version of the experiment's checkpoints: the file `model.safetensors`, with
    /// the step, the metric and the id of the experiment as its metadata. The alias `latest` then points to it, and
    /// `best` if its metric is the best.
    ///
    /// Call it when the weights of a step are updated, in the step or behind it: the version counts the step. It returns
    /// when the file is safe. Tensors that are held are read first.
    ///
    /// `metric` is what the best are chosen by: a number, or `None`.
    ///
    /// # Errors
    /// `Neptune` when the file cannot be kept, for example because the disk is full; `Candle` when a variable cannot be
    /// read. Then there is no such version, and the ones before it stand.
    pub fn checkpoint(&self, metric: impl Into<Option<f64>>) -> Result<()> {
        self.checkpoint_with(metric, HashMap::new())
    }

    /// As [`Tracker::checkpoint`], with tensors of the caller's: a moving average of the weights, the state of an optimizer
    /// that gives it, a random state. They are the file `extra.safetensors` of the version.
    ///
    /// # Errors
    /// As [`Tracker::checkpoint`].
    pub fn checkpoint_with(&self, metric: impl Into<Option<f64>>, extra: HashMap<String, Tensor>) -> Result<()> {
        self.shared.read();
        let step = self.shared.steps_begun();
        let metric = metric.into();
        let mut metadata = BTreeMap::from([
            (FORMAT_KEY.to_owned(), FORMAT.to_string()),
            ("experiment".to_owned(), self.shared.experiment.id().to_string()),
            ("step".to_owned(), step.to_string()),
        ]);
        metadata.extend(metric.map(|metric| ("metric".to_owned(), metric.to_string())));

        let model = parameters(&self.model).into_iter().map(|(name, var)| (name, var.as_tensor().clone())).collect();
        let mut files = vec![(MODEL, weights::Writing::new(model, &metadata)?)];
        if !extra.is_empty() {
            files.push((EXTRA, weights::Writing::new(extra.into_iter().collect(), &metadata)?));
        }
        let mut files: Vec<_> = files.iter_mut().map(|(name, file)| (*name, ArtifactSource::Reader(file))).collect();
        Ok(self.checkpoints()?.save(step, metric, &mut files)?)
    }

    /// Sets the variables of the model to those of a version, `"latest"`, `"best"` or the number of its step, and has the
    /// next step be the one behind it. `None`, and nothing is changed, when there is no such version: on the first start
    /// there is none.
    ///
    /// Build all layers first: the version must have the variables that the model has, by name, shape and type. Call it
    /// between two steps.
    ///
    /// What was logged behind the step of the version, before the training was killed, is replaced as the training gets
    /// there again, so a curve stays continuous. The moments of candle's `AdamW` are not in a version, because candle
    /// 0.11.1 does not give them: they begin at zero, as on the first start, and so does their bias correction. The loss may
    /// bump for some dozens of steps.
    ///
    /// # Errors
    /// `Mismatch`, naming tensors and their shapes, when the version is of another model; `Corrupt` and `TooNew` when its
    /// files cannot be used; `Neptune` when they cannot be read. The model is unchanged then. `Candle` when a device fails.
    pub fn restore(&self, version: &str) -> Result<Option<Restored>> {
        let checkpoints = self.checkpoints()?;
        let Some(checkpoint) = checkpoints.find(version)? else { return Ok(None) };
        let model = checkpoints.read(&checkpoint, MODEL)?;
        refuse_newer(&model)?;
        let extra = if checkpoint.files.contains_key(EXTRA) {
            weights::tensors(&checkpoints.read(&checkpoint, EXTRA)?)?
        } else {
            HashMap::new()
        };
        weights::set(&parameters(&self.model), &model)?;
        self.shared.go_on_at(checkpoint.step);
        Ok(Some(Restored { step: checkpoint.step, metric: checkpoint.metric, extra }))
    }
}

fn refuse_newer(file: &[u8]) -> Result<()> {
    let metadata = weights::metadata(file)?;
    // A file without it was written by other means, such as `VarMap::save`.
    match metadata.get(FORMAT_KEY).map(|format| format.parse::<u32>()) {
        None => Ok(()),
        Some(Ok(format)) if format <= FORMAT => Ok(()),
        Some(_) => {
            Err(Error::new(ErrorKind::TooNew, "a newer version of neptune-candle saved the checkpoint; use that"))
        }
    }
}
