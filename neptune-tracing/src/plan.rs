//! [`Plan`]: what becomes of the fields of a callsite, decided once, when it is first reached.
//!
//! Invariant: nothing of a field's name is looked at after that; an event finds what to do by the index of the field.

use std::sync::atomic::{AtomicU32, Ordering};

use neptune_core::VariablePath;
use tracing_core::Metadata;

use crate::settings::Settings;

/// What the names of metrics begin with: our word, and those of OpenTelemetry.
const METRICS: [&str; 5] = ["metric.", "counter.", "monotonic_counter.", "histogram.", "gauge."];

/// What becomes of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Role {
    /// It is for others.
    Ignored,
    /// A point of the metric of this number in [`Plan::metrics`].
    Metric(u8),
    /// As [`Role::Metric`] where it is a number, ignored where it is not: the field of an event whose target is named.
    MetricIfNumber(u8),
    /// The name of a metric, for [`Role::DynamicValue`].
    DynamicName,
    DynamicValue,
    Param(VariablePath),
    Property(String),
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
#[expect(clippy::struct_excessive_bools, reason = "each is asked by itself, on a hot path")]
pub(crate) struct Plan {
    pub(crate) metadata: &'static Metadata<'static>,
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
    /// The fields that something was said about, by their index.
    reported: AtomicU32,
}

impl Plan {
    pub(crate) fn new(metadata: &'static Metadata<'static>, settings: &Settings) -> Self {
        let names: Vec<&str> = metadata.fields().iter().map(|field| field.name()).collect();
        let is_dynamic = names.contains(&"metric.name") && names.contains(&"metric.value");
        let all_numbers = metadata.is_event() && settings.takes_all_numbers(metadata.target());
        let mut metrics = Vec::new();
        let roles: Box<[Role]> = names
            .iter()
            .map(|name| match *name {
                "metric.name" if is_dynamic => Role::DynamicName,
                "metric.value" if is_dynamic => Role::DynamicValue,
                name => role(name, all_numbers, &mut metrics),
            })
            .collect();
        let is_context = |role: &Role| matches!(role, Role::Step | Role::Epoch | Role::Split);
        let has_values = roles.iter().any(|role| *role != Role::Ignored && !is_context(role));
        Self {
            metadata,
            has_values,
            has_context: roles.iter().any(is_context),
            is_line: metadata.is_event()
                && *metadata.level() <= settings.log_level
                && (!has_values || names.contains(&"message")),
            is_timed: metadata.is_span() && settings.timings.would_enable(metadata.target(), metadata.level()),
            is_raw: metadata.is_span() && settings.raw_timings.would_enable(metadata.target(), metadata.level()),
            roles,
            metrics: metrics.into(),
            reported: AtomicU32::new(0),
        }
    }

    /// Whether anything becomes of the callsite.
    pub(crate) fn is_wanted(&self) -> bool {
        self.has_values || self.is_line || self.is_timed || self.is_raw || (self.metadata.is_span() && self.has_context)
    }

    pub(crate) fn role(&self, field: usize) -> &Role {
        self.roles.get(field).unwrap_or(&Role::Ignored)
    }

    /// Where the callsite is, for people.
    pub(crate) fn place(&self) -> String {
        match (self.metadata.file(), self.metadata.line()) {
            (Some(file), Some(line)) => format!("{file}:{line}"),
            _ => self.metadata.target().to_owned(),
        }
    }

    /// Whether this is the first time that something is said about the field.
    pub(crate) fn report(&self, field: usize) -> bool {
        let bit = 1 << (field % 32);
        self.reported.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }
}

fn role(name: &str, all_numbers: bool, metrics: &mut Vec<VariablePath>) -> Role {
    match name {
        "step" => return Role::Step,
        "epoch" => return Role::Epoch,
        "split" => return Role::Split,
        "tag" => return Role::Tag,
        _ => {}
    }
    let path = |name: &str| VariablePath::new(&name.replace('.', "/")).map_err(|error| error.to_string());
    let role = if let Some(name) = METRICS.iter().find_map(|prefix| name.strip_prefix(prefix)) {
        path(name).map(|path| Role::Metric(add(metrics, path)))
    } else if let Some(name) = name.strip_prefix("param.") {
        VariablePath::within("parameters", &name.replace('.', "/")).map(Role::Param).map_err(|error| error.to_string())
    } else if let Some(name) = name.strip_prefix("property.") {
        let key = name.replace('.', "/");
        VariablePath::within("properties", &key).map(|_| Role::Property(key)).map_err(|error| error.to_string())
    } else if let Some(name) = name.strip_prefix("text.") {
        path(name).map(Role::Text)
    } else if all_numbers && name != "message" && !name.starts_with("log.") {
        Ok(path(name).map_or(Role::Ignored, |path| Role::MetricIfNumber(add(metrics, path))))
    } else {
        Ok(Role::Ignored)
    };
    role.unwrap_or_else(Role::Refused)
}

/// Adds a metric and returns its number. A callsite has at most 32 fields, so it fits.
fn add(metrics: &mut Vec<VariablePath>, path: VariablePath) -> u8 {
    let number = u8::try_from(metrics.len()).unwrap_or(u8::MAX);
    metrics.push(path);
    number
}
