//! [`TrackedOptimizer`]: an optimizer that logs what it sees.
//!
//! It hands everything on to the optimizer inside unchanged: training with it is equal to training without, bit by bit.

use std::iter;

use candle_core::{Result, Tensor, Var, backprop::GradStore};
use candle_nn::Optimizer;
use neptune_core::Histogram;

use crate::{histograms::histogram, norms, parameters::parameters, shared::Shared, step::StepGuard, tracker::Tracker};

/// An optimizer that logs what it sees, made by [`Tracker::optimizer`]. Use it in the place of the optimizer inside.
///
/// | series | what | when |
/// |---|---|---|
/// | `train/learning_rate` | the learning rate that the step used | every step |
/// | `train/gradient_norm` | the L2 norm of all gradients together | [`gradients_every`](crate::TrackerBuilder::gradients_every) |
/// | `train/gradient_norms/NAME` | the L2 norm of the gradient of the parameter `NAME` | the same steps |
/// | `train/weights/NAME` | a histogram of the parameter, as the gradient found it | [`histograms_every`](crate::TrackerBuilder::histograms_every) |
/// | `train/gradients/NAME` | a histogram of its gradient | the same steps |
///
/// Parameters are those of the tracker's `VarMap` that have a gradient, with the names they have there. Gradients are
/// taken as the optimizer gets them: what is clipped before, is measured clipped. A measurement that fails is counted as
/// lost; the training goes on.
///
/// In a loop without [`Tracker::step`], each step of the optimizer is a step.
#[derive(Debug)]
pub struct TrackedOptimizer<O> {
    inner: O,
    tracker: Tracker,
    namespace: String,
}

impl<O: Optimizer> TrackedOptimizer<O> {
    pub(crate) fn of(inner: O, tracker: Tracker) -> Self {
        let namespace = tracker.shared.namespace.clone();
        Self { inner, tracker, namespace }
    }

    /// Has it log under `namespace`, instead of the tracker's: for loops with two optimizers, such as
    /// `train/discriminator`.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// The optimizer inside.
    pub const fn inner(&self) -> &O {
        &self.inner
    }

    /// The optimizer inside, to change its settings.
    pub const fn inner_mut(&mut self) -> &mut O {
        &mut self.inner
    }

    /// Gives the optimizer back.
    pub fn into_inner(self) -> O {
        self.inner
    }
}

impl<O: Optimizer> Optimizer for TrackedOptimizer<O> {
    type Config = (Tracker, O::Config);

    fn new(vars: Vec<Var>, (tracker, config): Self::Config) -> Result<Self> {
        Ok(Self::of(O::new(vars, config)?, tracker))
    }

    fn step(&mut self, gradients: &GradStore) -> Result<()> {
        let Self { inner, tracker, namespace } = self;
        let shared = &*tracker.shared;
        let own_step = (!shared.is_in_step()).then(|| StepGuard::untimed(shared));
        let step = own_step.as_ref().map_or_else(|| shared.steps_done(), StepGuard::number);

        let norms_are_due = tracker.gradients_every.is_some_and(|every| step % every == 0);
        let histograms_are_due = tracker.histograms_every.is_some_and(|every| step % every == 0);
        let parameters = if norms_are_due || histograms_are_due { parameters(&tracker.model) } else { Vec::new() };

        shared.log_number(&format!("{namespace}/learning_rate"), step, inner.learning_rate());
        if norms_are_due {
            log_norms(shared, namespace, step, &parameters, gradients);
        }
        if histograms_are_due {
            for (name, var) in &parameters {
                if let Some(gradient) = gradients.get(var) {
                    log_histogram(shared, &format!("{namespace}/weights/{name}"), step, var);
                    log_histogram(shared, &format!("{namespace}/gradients/{name}"), step, gradient);
                }
            }
        }
        inner.step(gradients)
    }

    fn learning_rate(&self) -> f64 {
        self.inner.learning_rate()
    }

    fn set_learning_rate(&mut self, lr: f64) {
        self.inner.set_learning_rate(lr);
    }
}

fn log_norms(shared: &Shared, namespace: &str, step: u64, parameters: &[(String, Var)], gradients: &GradStore) {
    match norms::of_gradients(parameters, gradients) {
        Ok(Some(norms)) => {
            let total = shared.series(&format!("{namespace}/gradient_norm"));
            let each = norms.names.iter().map(|name| shared.series(&format!("{namespace}/gradient_norms/{name}")));
            shared.hold(step, iter::once(total).chain(each).collect(), norms.values);
        }
        Ok(None) => {}
        Err(error) => shared.unread(1, &error),
    }
}

fn log_histogram(shared: &Shared, path: &str, step: u64, tensor: &Tensor) {
    let Some(series) = shared.refusing(shared.experiment.series::<Histogram>(path)) else { return };
    match histogram(tensor) {
        Ok(histogram) => series.append_at(step, &histogram),
        Err(error) => shared.unread(1, &error),
    }
}
