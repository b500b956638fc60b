//! [`Values`]: what an event or a span says, taken in by the plan of its callsite and logged.

use std::{error::Error, fmt, sync::Arc};

use neptune_core::{AtomValue, LostReason, Step};
use tracing_core::field::{Field, Visit};

use crate::{
    context::Context,
    number,
    plan::{Plan, Role},
    printed,
    splits::Splits,
    target::{Bound, Target, reason_of},
    thread::{Binding, Last},
};

/// Points that are taken in without asking for memory. Few callsites have more.
const QUICK: usize = 32;

/// What was said so far.
pub(crate) struct Values<'a> {
    plan: &'a Arc<Plan>,
    /// Nobody is told where there is no target; what is said of the place still counts.
    target: Option<&'a Target>,
    splits: &'a Splits,
    /// The step, epoch and split that it says itself.
    pub(crate) context: Context,
    metrics: [u16; QUICK],
    points: [f64; QUICK],
    count: usize,
    /// Which metrics they are of, by bits; those beyond the 63rd share one.
    fields: u64,
    /// Points beyond those.
    more: Vec<(u16, f64)>,
    /// What becomes of fields that are no points, by their index.
    others: Vec<(usize, AtomValue)>,
    name: Option<String>,
    value: Option<f64>,
    /// The value of a metric that is named as it comes was refused: nothing more is to be said of it.
    is_refused: bool,
}

impl<'a> Values<'a> {
    #[inline]
    pub(crate) const fn new(plan: &'a Arc<Plan>, target: Option<&'a Target>, splits: &'a Splits) -> Self {
        Self {
            plan,
            target,
            splits,
            context: Context::NONE,
            metrics: [0; QUICK],
            points: [0.0; QUICK],
            count: 0,
            fields: 0,
            more: Vec::new(),
            others: Vec::new(),
            name: None,
            value: None,
            is_refused: false,
        }
    }

    /// Logs everything that was said. `context` is what is known of its place, from itself and the spans around it.
    #[inline]
    pub(crate) fn log(mut self, context: Context, binding: &mut Binding) {
        let Some(target) = self.target else { return };
        // An epoch around it is no place on the x axis: there may be many points in one.
        let x = context.step().or_else(|| Step::new(self.context.epoch));
        if self.count > 0 {
            if let Some((bound, last)) = binding.bind(self.plan, target, context.split, self.splits) {
                if bound.all.is_empty() {
                    self.log_each(target, x, bound);
                } else {
                    self.log_points(target, x, bound);
                }
                let at = x.map_or(f64::NAN, Step::get);
                if last.is_again(at, self.fields) {
                    self.report_again(target, at);
                }
            }
            target.note_epoch(context);
        }
        if (self.name.is_some() || self.value.is_some()) && !self.is_refused {
            self.log_dynamic(target, context, x);
        }
        if !self.others.is_empty() {
            self.log_others(target, context, x, &mut binding.texts);
        }
    }

    #[inline]
    fn log_points(&self, target: &Target, x: Option<Step>, bound: &Bound) {
        let metrics = self.metrics.get(..self.count).unwrap_or_default();
        let points = metrics.iter().zip(&self.points);
        target.handle.append_points(x, points.map(|(metric, value)| (&bound.all[usize::from(*metric)], *value)));
        if !self.more.is_empty() {
            let points = self.more.iter();
            target.handle.append_points(x, points.map(|(metric, value)| (&bound.all[usize::from(*metric)], *value)));
        }
    }

    /// Logs the metrics of which some are refused.
    #[cold]
    fn log_each(&self, target: &Target, x: Option<Step>, bound: &Bound) {
        let quick = self.metrics.iter().copied().zip(self.points).take(self.count);
        for (metric, value) in quick.chain(self.more.iter().copied()) {
            match bound.each.get(usize::from(metric)) {
                Some(Ok(series)) => target.handle.append_points(x, [(series, value)]),
                Some(Err((reason, why))) => {
                    let field =
                        self.field(|role| matches!(role, Role::Metric(it) | Role::MetricIfNumber(it) if *it == metric));
                    target.refuse(self.plan, field, *reason, || why.clone());
                }
                None => {}
            }
        }
    }

    /// Says that a series got a second point where it keeps one.
    #[cold]
    fn report_again(&self, target: &Target, x: f64) {
        target.report(self.plan, Plan::AGAIN, || {
            format!(
                "several values at step {x}: a series keeps one point for each step, the last; say a step of its own"
            )
        });
    }

    fn log_dynamic(&self, target: &Target, context: Context, x: Option<Step>) {
        let field = self.field(|role| *role == Role::DynamicName);
        let (Some(name), Some(value)) = (&self.name, self.value) else {
            let what = || "`metric.name` and `metric.value` are said together, or they say nothing".to_owned();
            target.refuse(self.plan, field, LostReason::NotANumber, what);
            return;
        };
        let path = self.splits.within(context.split, &name.replace('.', "/"));
        match target.dynamic(&path) {
            Ok(series) => target.handle.append_points(x, [(&series, value)]),
            Err((reason, why)) => target.refuse(self.plan, field, reason, || why),
        }
        target.note_epoch(context);
    }

    #[cold]
    fn log_others(&mut self, target: &Target, context: Context, x: Option<Step>, last: &mut Last) {
        let handle = &target.handle;
        let mut texts = 0;
        for (field, value) in std::mem::take(&mut self.others) {
            let done = match self.plan.role(field) {
                Role::Param(path) => handle.atom(path.as_str()).try_assign(value),
                Role::Property(path) => handle.atom(path.as_str()).try_assign(text_of(value)),
                Role::Tag => {
                    handle.add_tags([text_of(value)]);
                    Ok(())
                }
                Role::Text(path) => {
                    texts |= bit(field);
                    let text = self.fitting(target, field, text_of(value));
                    let path = self.splits.within(context.split, path.as_str());
                    handle.series::<String>(&path).map(|series| match x {
                        Some(step) => series.append_at(step, text),
                        None => series.append(text),
                    })
                }
                _ => Ok(()),
            };
            if let Err(error) = done {
                target.refuse(self.plan, field, reason_of(&error), || error.to_string());
            }
        }
        let at = x.map_or(f64::NAN, Step::get);
        if texts != 0 && last.is_again(at, texts) {
            self.report_again(target, at);
        }
    }

    /// A text that fits a record: as it is, or its beginning.
    fn fitting(&self, target: &Target, field: usize, mut text: String) -> String {
        /// Less than the mebibyte that a record holds, by room for the rest of it.
        const LONGEST: usize = (1 << 20) - 256;
        let length = text.len();
        if length > LONGEST {
            text.truncate(text.floor_char_boundary(LONGEST));
            text.push_str("... (cut)");
            target.report(self.plan, field, || format!("a text of {length} bytes was cut: a line holds a mebibyte"));
        }
        text
    }

    fn field(&self, is_it: impl Fn(&Role) -> bool) -> usize {
        self.plan.roles.iter().position(is_it).unwrap_or(0)
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
            Role::Split => self.refuse_split(field, "it is a number; a split is a part of the data, such as \"train\""),
            Role::DynamicName => self.name = Some(text_of(value())),
            Role::Refused(why) => {
                self.refuse(index, LostReason::InvalidPath, || format!("field {:?}: {why}", field.name()));
            }
            Role::Param(_) | Role::Property(_) | Role::Tag | Role::Text(_) => self.others.push((index, value())),
        }
    }

    #[inline]
    fn point(&mut self, metric: u16, value: f64) {
        self.fields |= bit(usize::from(metric));
        if let (Some(place), Some(point)) = (self.metrics.get_mut(self.count), self.points.get_mut(self.count)) {
            *place = metric;
            *point = value;
            self.count += 1;
        } else {
            self.more.push((metric, value));
        }
    }

    /// A field that is a string.
    fn string(&mut self, field: &Field, value: &str) {
        let index = field.index();
        match self.plan.role(index) {
            Role::Ignored | Role::MetricIfNumber(_) => {}
            Role::Metric(_) | Role::DynamicValue | Role::Step | Role::Epoch => {
                self.is_refused |= *self.plan.role(index) == Role::DynamicValue;
                self.refuse_text(field, &format_args!("{value}"));
            }
            Role::Split => self.split(field, value),
            Role::DynamicName => self.name = Some(value.to_owned()),
            Role::Refused(why) => {
                self.refuse(index, LostReason::InvalidPath, || format!("field {:?}: {why}", field.name()));
            }
            Role::Param(_) | Role::Property(_) | Role::Tag | Role::Text(_) => self.others.push((index, value.into())),
        }
    }

    fn split(&mut self, field: &Field, name: &str) {
        match self.splits.number(name) {
            Ok(split) => self.context.split = split,
            Err(why) => self.refuse_split(field, &why),
        }
    }

    /// A field that is printed.
    fn printed(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let index = field.index();
        match self.plan.role(index) {
            Role::Ignored => {}
            Role::Metric(_) | Role::MetricIfNumber(_) | Role::DynamicValue | Role::Step | Role::Epoch => {
                if let Some(number) = number::printed(value) {
                    self.number(field, number, || AtomValue::from(number));
                } else {
                    self.is_refused |= *self.plan.role(index) == Role::DynamicValue;
                    self.refuse_text(field, value);
                }
            }
            Role::Split => self.split(field, &printed::text(value)),
            Role::DynamicName => self.name = Some(printed::text(value)),
            Role::Refused(why) => {
                self.refuse(index, LostReason::InvalidPath, || format!("field {:?}: {why}", field.name()));
            }
            Role::Param(_) | Role::Property(_) | Role::Tag | Role::Text(_) => {
                self.others.push((index, AtomValue::from(printed::text(value))));
            }
        }
    }

    #[cold]
    fn refuse_text(&self, field: &Field, value: &dyn fmt::Debug) {
        match self.plan.role(field.index()) {
            Role::Step | Role::Epoch => self.refuse_step(field, value),
            Role::MetricIfNumber(_) => {}
            _ => self.refuse(field.index(), LostReason::NotANumber, || {
                format!("field {:?} was given {}; a metric takes numbers", field.name(), printed::beginning(value))
            }),
        }
    }

    #[cold]
    fn refuse_step(&self, field: &Field, value: &dyn fmt::Debug) {
        self.refuse_context(field, LostReason::InvalidStep, || {
            format!("field {:?} was given {}; a step is a finite number", field.name(), printed::beginning(value))
        });
    }

    #[cold]
    fn refuse_split(&self, field: &Field, why: &str) {
        self.refuse_context(field, LostReason::InvalidPath, || format!("field {:?}: {why}", field.name()));
    }

    /// Something is wrong with what is said of the place. A span loses nothing by it, and may be a library's.
    fn refuse_context(&self, field: &Field, reason: LostReason, what: impl FnOnce() -> String) {
        if self.plan.metadata.is_event() {
            self.refuse(field.index(), reason, what);
        } else if let Some(target) = self.target {
            target.report(self.plan, field.index(), what);
        }
    }

    #[cold]
    fn refuse(&self, field: usize, reason: LostReason, what: impl FnOnce() -> String) {
        if let Some(target) = self.target {
            target.refuse(self.plan, field, reason, what);
        }
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
        self.string(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.string(field, &printed::plain(&format_args!("{value}")));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.printed(field, value);
    }
}

/// The bit of a metric or a field.
#[inline]
const fn bit(number: usize) -> u64 {
    1 << if number < 63 { number } else { 63 }
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
