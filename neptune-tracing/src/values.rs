//! [`Values`]: what an event or a span says, taken in by the plan of its callsite and logged.

use std::{error::Error, fmt};

use neptune_core::{AtomValue, LostReason, Step};
use tracing_core::field::{Field, Visit};

use crate::{
    context::Context,
    number,
    plan::{Plan, Role},
    splits::Splits,
    target::{Bound, Target},
};

/// A callsite has at most this many fields.
const MOST_FIELDS: usize = 32;

/// What was said so far.
pub(crate) struct Values<'a> {
    plan: &'a Plan,
    target: &'a Target,
    splits: &'a Splits,
    /// The step, epoch and split that it says itself.
    pub(crate) context: Context,
    metrics: [u8; MOST_FIELDS],
    points: [f64; MOST_FIELDS],
    count: usize,
    /// What becomes of fields that are no points, by their index.
    others: Vec<(usize, AtomValue)>,
    name: Option<String>,
    value: Option<f64>,
}

impl<'a> Values<'a> {
    #[inline]
    pub(crate) const fn new(plan: &'a Plan, target: &'a Target, splits: &'a Splits) -> Self {
        Self {
            plan,
            target,
            splits,
            context: Context::NONE,
            metrics: [0; MOST_FIELDS],
            points: [0.0; MOST_FIELDS],
            count: 0,
            others: Vec::new(),
            name: None,
            value: None,
        }
    }

    /// Logs everything that was said, at its place. `bound` is asked for the series of the metrics.
    #[inline]
    pub(crate) fn log<'b>(mut self, context: Context, bound: impl FnOnce(u32) -> &'b Bound) {
        let metrics = self.metrics.get(..self.count).unwrap_or_default();
        let points = self.points.get(..self.count).unwrap_or_default();
        if self.count > 0 {
            let bound = bound(context.split);
            if bound.all.is_empty() {
                self.log_some(context, bound);
            } else {
                let points =
                    metrics.iter().zip(points).map(|(metric, value)| (&bound.all[usize::from(*metric)], *value));
                self.target.handle.append_points(context.x(), points);
            }
            self.target.note_epoch(context);
        }
        if let (Some(name), Some(value)) = (self.name.take(), self.value) {
            self.log_dynamic(context, &name, value);
        }
        if !self.others.is_empty() {
            self.log_others(context);
        }
    }

    /// Logs the metrics of which some are refused.
    #[cold]
    fn log_some(&self, context: Context, bound: &Bound) {
        for (metric, value) in self.metrics.iter().zip(&self.points).take(self.count) {
            match bound.get(*metric) {
                Ok(series) => match context.x() {
                    Some(step) => series.append_at(step, *value),
                    None => series.append(*value),
                },
                Err((reason, why)) => {
                    let is_it =
                        |role: &Role| matches!(role, Role::Metric(it) | Role::MetricIfNumber(it) if it == metric);
                    let field = self.plan.roles.iter().position(is_it).unwrap_or(0);
                    self.target.refuse(self.plan, field, reason, || why.to_owned());
                }
            }
        }
    }

    fn log_dynamic(&self, context: Context, name: &str, value: f64) {
        let path = self.splits.within(context.split, &name.replace('.', "/"));
        match self.target.dynamic(&path) {
            Ok(series) => match context.x() {
                Some(step) => series.append_at(step, value),
                None => series.append(value),
            },
            Err((reason, why)) => {
                let field = self.plan.roles.iter().position(|role| *role == Role::DynamicName).unwrap_or(0);
                self.target.refuse(self.plan, field, reason, || why);
            }
        }
    }

    #[cold]
    fn log_others(&mut self, context: Context) {
        let handle = &self.target.handle;
        for (field, value) in std::mem::take(&mut self.others) {
            match self.plan.role(field) {
                Role::Param(path) => handle.atom(path.as_str()).assign(value),
                Role::Property(key) => handle.set_property(key, text_of(value)),
                Role::Tag => handle.add_tags([text_of(value)]),
                Role::Text(path) => {
                    let path = self.splits.within(context.split, path.as_str());
                    match handle.series::<String>(&path) {
                        Ok(series) => match context.x() {
                            Some(step) => series.append_at(step, text_of(value)),
                            None => series.append(text_of(value)),
                        },
                        Err(error) => {
                            self.target.refuse(self.plan, field, LostReason::TypeConflict, || error.to_string());
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// A field that is a number.
    #[inline]
    fn number(&mut self, field: &Field, number: f64, value: impl FnOnce() -> AtomValue) {
        let index = field.index();
        match self.plan.role(index) {
            Role::Ignored => {}
            Role::Metric(metric) | Role::MetricIfNumber(metric) => self.point(*metric, number),
            Role::Step if Step::new(number).is_some() => self.context.step = number,
            Role::Epoch if Step::new(number).is_some() => self.context.epoch = number,
            Role::Step | Role::Epoch => self.refuse_step(field, &number),
            Role::DynamicValue => self.value = Some(number),
            Role::Split => self.split(field, &text_of(value())),
            Role::DynamicName => self.name = Some(text_of(value())),
            Role::Refused(why) => {
                self.target.refuse(self.plan, index, LostReason::InvalidPath, || format!("field {field:?}: {why}"));
            }
            Role::Param(_) | Role::Property(_) | Role::Tag | Role::Text(_) => self.others.push((index, value())),
        }
    }

    #[inline]
    fn point(&mut self, metric: u8, value: f64) {
        if let (Some(place), Some(point)) = (self.metrics.get_mut(self.count), self.points.get_mut(self.count)) {
            *place = metric;
            *point = value;
            self.count += 1;
        }
    }

    /// A field that is text; `is_string` where it was given as a string, not printed.
    fn text(&mut self, field: &Field, value: &dyn fmt::Debug, is_string: bool) {
        let index = field.index();
        match self.plan.role(index) {
            Role::Ignored | Role::MetricIfNumber(_) => {}
            Role::Metric(_) | Role::DynamicValue | Role::Step | Role::Epoch => {
                match number::printed(value).filter(|_| !is_string) {
                    Some(number) => self.number(field, number, || AtomValue::from(number)),
                    None if matches!(self.plan.role(index), Role::Step | Role::Epoch) => self.refuse_step(field, value),
                    None => self.target.refuse(self.plan, index, LostReason::NotANumber, || {
                        format!("field {:?} was given {}; a metric takes numbers", field.name(), shown(value))
                    }),
                }
            }
            Role::Split => self.split(field, &format!("{value:?}")),
            Role::DynamicName => self.name = Some(format!("{value:?}")),
            Role::Refused(why) => {
                self.target.refuse(self.plan, index, LostReason::InvalidPath, || format!("field {field:?}: {why}"));
            }
            Role::Param(_) | Role::Property(_) | Role::Tag | Role::Text(_) => {
                self.others.push((index, AtomValue::from(format!("{value:?}"))));
            }
        }
    }

    fn split(&mut self, field: &Field, name: &str) {
        match self.splits.number(name) {
            Ok(split) => self.context.split = split,
            Err(why) => {
                self.target.refuse(self.plan, field.index(), LostReason::InvalidPath, || format!("split: {why}"));
            }
        }
    }

    #[cold]
    fn refuse_step(&self, field: &Field, value: &dyn fmt::Debug) {
        self.target.refuse(self.plan, field.index(), LostReason::InvalidStep, || {
            format!("field {:?} was given {}; a step is a finite number", field.name(), shown(value))
        });
    }
}

impl Visit for Values<'_> {
    #[inline]
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.number(field, value, || AtomValue::from(value));
    }

    #[inline]
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field, value as f64, || AtomValue::from(value));
    }

    #[inline]
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.number(field, value as f64, || AtomValue::from(value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.number(field, value as f64, || {
            i64::try_from(value).map_or_else(|_| (value as f64).into(), AtomValue::from)
        });
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.number(field, value as f64, || {
            i64::try_from(value).map_or_else(|_| (value as f64).into(), AtomValue::from)
        });
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.number(field, f64::from(u8::from(value)), || AtomValue::from(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, &format_args!("{value}"), true);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.text(field, &format_args!("{value}"), true);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, value, false);
    }
}

fn text_of(value: AtomValue) -> String {
    match value {
        AtomValue::String(text) => text,
        AtomValue::Float(value) => value.to_string(),
        AtomValue::Int(value) => value.to_string(),
        AtomValue::Bool(value) => value.to_string(),
        other => format!("{other:?}"),
    }
}

/// A value for a message: its beginning.
fn shown(value: &dyn fmt::Debug) -> String {
    const SHOWN: usize = 60;
    let text = format!("{value:?}");
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("\"{}...\"", text.get(..end).unwrap_or_default()),
        None => format!("\"{text}\""),
    }
}
