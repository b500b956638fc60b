//! [`Plan`]: what becomes of the fields of a callsite, decided once, when it is first reached.
//!
//! Invariant: nothing of a field's name is looked at after that; an event finds what to do by the index of the field.

use std::{
    hash::{Hash, Hasher},
    ops::Deref,
    sync::atomic::{AtomicU64, Ordering},
};

use neptune_core::VariablePath;
use tracing_core::{Level, Metadata};
use tracing_subscriber::filter::Targets;

use crate::settings::Settings;

/// What the names of metrics begin with: our word, and those of OpenTelemetry.
const METRICS: [&str; 5] = ["metric.", "counter.", "monotonic_counter.", "histogram.", "gauge."];

/// What fields begin with that are meant for us.
const OURS: [&str; 8] =
    ["metric.", "counter.", "monotonic_counter.", "histogram.", "gauge.", "param.", "property.", "text."];

/// What becomes of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Role {
    /// It is for others.
    Ignored,
    /// A point of the metric of this number in [`Plan::metrics`].
    Metric(u16),
    /// As [`Role::Metric`] where it is a number, ignored where it is not: the field of an event whose target is named.
    MetricIfNumber(u16),
    /// The name of a metric, for [`Role::DynamicValue`].
    DynamicName,
    DynamicValue,
    Param(VariablePath),
    Property(VariablePath),
    Tag,
    Text(VariablePath),
    Step,
    Epoch,
    Split,
    /// Its name is no path: why.
    Refused(String),
}

/// What becomes of a callsite.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) metadata: &'static Metadata<'static>,
    /// What was decided.
    becomes: Becomes,
    /// The fields that something was said about, by their index.
    reported: AtomicU64,
}

/// What is decided of a callsite.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is asked by itself, on a hot path")]
pub(crate) struct Becomes {
    /// By the index of the field.
    pub(crate) roles: Box<[Role]>,
    /// The paths of its metrics.
    pub(crate) metrics: Box<[VariablePath]>,
    /// Something of it is logged as a variable.
    pub(crate) has_values: bool,
    /// It says a step, an epoch or a split.
    pub(crate) has_context: bool,
    /// It is an event that becomes a line of the log: one that says something, not only values.
    pub(crate) is_line: bool,
    /// It is a span that is timed.
    pub(crate) is_timed: bool,
    /// Every timing of it is logged, beside the statistics.
    pub(crate) is_raw: bool,
    is_span: bool,
}

impl Deref for Plan {
    type Target = Becomes;

    fn deref(&self) -> &Becomes {
        &self.becomes
    }
}

/// Which callsite it is. Callsites of the `log` crate's levels have one address, so the level is part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Callsite {
    address: usize,
    level: Level,
    is_span: bool,
}

impl Callsite {
    #[inline]
    pub(crate) fn of(metadata: &Metadata<'_>) -> Self {
        let address = std::ptr::from_ref(metadata.callsite().0).addr();
        Self { address, level: *metadata.level(), is_span: metadata.is_span() }
    }
}

impl Hash for Callsite {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The rest hardly ever tells two apart.
        state.write_usize(self.address);
    }
}

impl Becomes {
    /// Decides what becomes of a callsite. The same, whenever it is asked.
    pub(crate) fn of(metadata: &Metadata<'_>, settings: &Settings) -> Self {
        let names: Vec<&str> = metadata.fields().iter().map(|field| field.name()).collect();
        let is_dynamic = names.contains(&"metric.name") && names.contains(&"metric.value");
        let all_numbers = metadata.is_event() && settings.takes_all_numbers(metadata.target());
        // Plain words mean something to us only where somebody speaks to us: a library may have a step of its own.
        let is_ours = *metadata.level() <= Level::INFO
            || all_numbers
            || names.iter().any(|name| OURS.iter().any(|prefix| name.starts_with(prefix)))
            || settings.timings.would_enable(metadata.target(), metadata.level());
        let mut metrics = Vec::new();
        let roles: Box<[Role]> = names
            .iter()
            .map(|name| match *name {
                "metric.name" if is_dynamic => Role::DynamicName,
                "metric.value" if is_dynamic => Role::DynamicValue,
                "step" if is_ours => Role::Step,
                "epoch" if is_ours => Role::Epoch,
                "split" if is_ours => Role::Split,
                "tag" if is_ours && metadata.is_event() => Role::Tag,
                "step" | "epoch" | "split" | "tag" => Role::Ignored,
                name => role(name, all_numbers, &mut metrics),
            })
            .collect();
        let is_context = |role: &Role| matches!(role, Role::Step | Role::Epoch | Role::Split);
        let has_values = roles.iter().any(|role| *role != Role::Ignored && !is_context(role));
        let says_more = roles.contains(&Role::Ignored)
            || (*metadata.level() <= Level::WARN && roles.iter().any(|role| matches!(role, Role::MetricIfNumber(_))));
        let is_in = |targets: &Targets| metadata.is_span() && targets.would_enable(metadata.target(), metadata.level());
        Self {
            has_values,
            has_context: roles.iter().any(is_context),
            is_line: metadata.is_event() && *metadata.level() <= settings.log_level && (!has_values || says_more),
            is_timed: is_in(&settings.timings),
            is_raw: is_in(&settings.raw_timings),
            is_span: metadata.is_span(),
            roles,
            metrics: metrics.into(),
        }
    }

    /// Whether it is plain that nothing becomes of a callsite. Quick, for those that nobody can decide once: the records of the
    /// `log` crate are asked for each time.
    pub(crate) fn is_nothing(metadata: &Metadata<'_>, settings: &Settings) -> bool {
        let is_ours = |name: &str| name == "tag" || OURS.iter().any(|prefix| name.starts_with(prefix));
        metadata.is_event()
            && *metadata.level() > settings.log_level
            && !settings.takes_all_numbers(metadata.target())
            && !metadata.fields().iter().any(|field| is_ours(field.name()))
    }

    /// Whether anything becomes of the callsite.
    pub(crate) const fn is_wanted(&self) -> bool {
        self.has_values || self.is_line || self.is_timed || self.is_raw || (self.is_span && self.has_context)
    }

    pub(crate) fn role(&self, field: usize) -> &Role {
        self.roles.get(field).unwrap_or(&Role::Ignored)
    }
}

impl Plan {
    pub(crate) fn new(metadata: &'static Metadata<'static>, settings: &Settings) -> Self {
        Self { metadata, becomes: Becomes::of(metadata, settings), reported: AtomicU64::new(0) }
    }

    /// Where the callsite is, for people.
    pub(crate) fn place(&self) -> String {
        match (self.metadata.file(), self.metadata.line()) {
            (Some(file), Some(line)) => format!("{file}:{line}"),
            _ => self.metadata.target().to_owned(),
        }
    }

    /// What is said of the callsite as a whole is said of this field.
    pub(crate) const AGAIN: usize = 63;

    /// The fields beyond share what was said about this one.
    const LAST: usize = 62;

    /// Whether this is the first time that something is said about the field.
    pub(crate) fn report(&self, field: usize) -> bool {
        let bit = 1 << if field == Self::AGAIN { field } else { field.min(Self::LAST) };
        self.reported.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }
}

fn role(name: &str, all_numbers: bool, metrics: &mut Vec<VariablePath>) -> Role {
    let path = |name: &str| VariablePath::new(&name.replace('.', "/")).map_err(|error| error.to_string());
    let role = if let Some(name) = METRICS.iter().find_map(|prefix| name.strip_prefix(prefix)) {
        path(name).map(|path| Role::Metric(add(metrics, path)))
    } else if let Some(name) = name.strip_prefix("param.") {
        VariablePath::within("parameters", &name.replace('.', "/")).map(Role::Param).map_err(|error| error.to_string())
    } else if let Some(name) = name.strip_prefix("property.") {
        VariablePath::within("properties", &name.replace('.', "/"))
            .map(Role::Property)
            .map_err(|error| error.to_string())
    } else if let Some(name) = name.strip_prefix("text.") {
        path(name).map(Role::Text)
    } else if all_numbers && name != "message" && !name.starts_with("log.") {
        Ok(path(name).map_or(Role::Ignored, |path| Role::MetricIfNumber(add(metrics, path))))
    } else {
        Ok(Role::Ignored)
    };
    role.unwrap_or_else(Role::Refused)
}

/// Adds a metric and returns its number. No callsite has so many fields that it does not fit.
fn add(metrics: &mut Vec<VariablePath>, path: VariablePath) -> u16 {
    let number = u16::try_from(metrics.len()).unwrap_or(u16::MAX);
    metrics.push(path);
    number
}
