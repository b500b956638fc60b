//! `neptune show`: everything about one experiment on a page, with a chart.
//!
//! What was not kept is on the page as well: whoever reads it must not take what is here for everything that was logged.

mod document;
mod files;
mod tables;

use std::path::Path;

use neptune_core::{AtomValue, Content, LostReport, Timestamp, VariableType, notebook::KIND};
use neptune_store::{
    Store,
    read::{ExperimentKey, SeriesSummary, Spans, Variable, VariableValue, WriterSummary},
};

use crate::{
    chart,
    checkpoints::{self, ARTIFACTS},
    cli, clock, code,
    failure::{Exit, Failure},
    hardware,
    inert::{cut, inert, inert_lines, width},
    kept, metrics, number, reading,
    screen::{BAD, BOLD, DIM, GOING, Screen, painted, style_of_state},
    value,
};

/// How much of a value a terminal shows.
const MOST_SHOWN: usize = 1000;

/// How many processes have their hardware told.
const MACHINES: usize = 4;

/// The widest chart. Wider ones show nothing more.
const CHART: usize = 120;

/// What is shown in the header, and not again below.
const HEADER: [&str; 11] = [
    "sys/kind",
    "sys/name",
    "sys/description",
    "sys/state",
    "sys/failed",
    "sys/failure",
    "sys/owner",
    "sys/hostname",
    "sys/creation_time",
    "sys/completion_time",
    "sys/tags",
];

/// Texts of the tracing layer besides kept steps, which get a line each instead of a row: where they are, a title, and what
/// they hold.
const TEXTS: [(&str, &str, &str, &str); 2] =
    [("monitoring/log", "Log", "line", "lines"), ("monitoring/traceback", "Traceback", "text", "texts")];

/// Everything about an experiment.
struct Page {
    key: ExperimentKey,
    variables: Vec<Variable>,
    writers: Vec<WriterSummary>,
    lost: LostReport,
}

pub(crate) fn run(screen: &mut Screen, folder: &Path, show: &cli::Show) -> Result<Exit, Failure> {
    let store = reading::open(folder)?;
    let key = reading::find(&store, &show.id)?;
    let page =
        Page { variables: store.variables(&key, "")?, writers: store.writers(&key)?, lost: store.lost(&key)?, key };
    let charts = page.charts(&store, show)?;
    if screen.json {
        screen.document(&page.json())?;
        return Ok(Exit::Fine);
    }
    page.header(screen)?;
    page.atoms(screen)?;
    page.checkpoints(screen)?;
    page.artifacts(screen)?;
    page.series(screen, &store)?;
    page.hardware(screen)?;
    page.traces(screen)?;
    for path in charts {
        page.chart(screen, &store, &path)?;
    }
    page.losses(screen)?;
    Ok(Exit::Fine)
}

impl Page {
    /// The paths of the series to chart.
    fn charts(&self, store: &Store, show: &cli::Show) -> Result<Vec<String>, Failure> {
        if show.no_chart {
            return Ok(Vec::new());
        }
        if show.chart.is_empty() {
            // One point is no line.
            let series = self.numbers().filter(|(_, summary)| summary.statistics.count > 1).map(|(path, _)| path);
            return Ok(metrics::most_telling(series).map(str::to_owned).into_iter().collect());
        }
        let mut paths = Vec::new();
        for name in &show.chart {
            let path = store.resolve(&self.key, name)?;
            let kind = store.variable(&self.key, &path)?.kind;
            if kind != VariableType::FLOAT_SERIES {
                return Err(Failure::wrong(format!("{path} is {kind}; only a series of numbers has a chart")));
            }
            paths.push(path);
        }
        Ok(paths)
    }

    /// The series of numbers but for the timings of spans and the hardware, of which there are too many to read.
    fn numbers(&self) -> impl Iterator<Item = (&str, &SeriesSummary)> {
        let spans = Spans::of(&self.variables);
        let numbers = self.series_of(VariableType::FLOAT_SERIES);
        numbers.filter(move |(path, _)| !spans.have(path) && hardware::parts(path).is_none())
    }

    /// The series of texts.
    fn texts(&self) -> impl Iterator<Item = (&str, &SeriesSummary)> {
        self.series_of(VariableType::STRING_SERIES)
    }

    fn series_of(&self, kind: VariableType) -> impl Iterator<Item = (&str, &SeriesSummary)> {
        self.variables.iter().filter(move |variable| variable.kind == kind).filter_map(|variable| {
            match &variable.value {
                VariableValue::Series(summary) => Some((variable.path.as_str(), summary)),
                _ => None,
            }
        })
    }

    fn value(&self, path: &str) -> Option<&VariableValue> {
        self.variables.iter().find(|variable| variable.path == path).map(|variable| &variable.value)
    }

    fn text(&self, path: &str) -> &str {
        match self.value(path) {
            Some(VariableValue::Atom(value)) => value.as_str().unwrap_or_default(),
            _ => "",
        }
    }

    fn time(&self, path: &str) -> Option<Timestamp> {
        match self.value(path) {
            Some(VariableValue::Atom(AtomValue::Datetime(time))) => Some(*time),
            _ => None,
        }
    }

    fn tags(&self) -> &[String] {
        match self.value("sys/tags") {
            Some(VariableValue::Set(tags)) => tags,
            _ => &[],
        }
    }

    /// Its state; `None` when no process has run it yet.
    fn state(&self) -> Option<&str> {
        self.value("sys/state").map(|_| self.text("sys/state"))
    }

    /// When it ended; a resumed experiment that runs again has not.
    fn ended(&self) -> Option<Timestamp> {
        if self.text("sys/state") == "running" { None } else { self.time("sys/completion_time") }
    }

    fn header(&self, screen: &mut Screen) -> Result<(), Failure> {
        let now = clock::now();
        let (name, state) = (inert(self.text("sys/name")), self.state().unwrap_or(reading::NEW));
        let title = format!("{}  {}", painted(BOLD, inert(&self.key.short_id)), painted(BOLD, name));
        screen.line(title.trim_end())?;
        let kind = self.text("sys/kind");
        // What is of a kind is no run: it has no state, and does not go on.
        let mut fields = vec![match kind {
            "" => ("state", painted(style_of_state(state), inert(state))),
            KIND => ("kind", format!("{KIND}; `neptune notebook show {}` has its cells", inert(&self.key.short_id))),
            other => ("kind", inert(other)),
        }];
        let failure = self.text("sys/failure");
        if !failure.is_empty() {
            fields.push(("because", inert_lines(failure).collect::<Vec<_>>().join(" | ")));
        }
        fields.push(("project", inert(self.key.project.as_str())));
        let (owner, host) = (inert(self.text("sys/owner")), inert(self.text("sys/hostname")));
        fields.push(("owner", if host.is_empty() { owner } else { format!("{owner} on {host}") }));
        if let Some(created) = self.time("sys/creation_time") {
            fields.push(("created", format!("{}, {}", clock::local(created), clock::age(now, created))));
            if self.state().is_some() {
                let so_far = if self.ended().is_none() { " so far" } else { "" };
                fields.push(("took", format!("{}{so_far}", clock::duration(created, self.ended().unwrap_or(now)))));
            }
        }
        if self.writers.len() > 1 {
            let open = self.writers.iter().filter(|writer| writer.closed.is_none()).count();
            let all = number::counted(self.writers.len() as u64, "process", "processes");
            fields.push(("by", format!("{all}, {open} still logging")));
        }
        if !self.tags().is_empty() {
            fields.push(("tags", self.tags().iter().map(|tag| inert(tag)).collect::<Vec<_>>().join(", ")));
        }
        if let Some(code) = code::told(&self.variables) {
            fields.push(("code", code));
        }
        fields.push(("uuid", self.key.uuid.to_string()));
        for (name, field) in fields {
            screen.line(format_args!("  {}  {field}", painted(DIM, format_args!("{name:<7}"))))?;
        }
        for (at, line) in inert_lines(self.text("sys/description")).enumerate() {
            if at == 0 {
                screen.line("")?;
            }
            screen.line(format_args!("  {line}"))?;
        }
        Ok(())
    }

    /// What is not a series, in sections.
    fn atoms(&self, screen: &mut Screen) -> Result<(), Failure> {
        let families = checkpoints::of(&self.variables);
        let is_aside = |path: &str| {
            HEADER.contains(&path)
                || ["parameters/", "properties/", ARTIFACTS].iter().any(|other| path.starts_with(other))
                || hardware::parts(path).is_some()
                || code::is_about_code(path)
                || checkpoints::have(&families, path)
        };
        let mut others = Vec::new();
        for (title, namespace) in [("Parameters", "parameters/"), ("Properties", "properties/"), ("Variables", "")] {
            let mut fields = Vec::new();
            for variable in &self.variables {
                let shown = match &variable.value {
                    VariableValue::Atom(value) => value::shown(value),
                    VariableValue::Set(members) => {
                        members.iter().map(|member| inert(member)).collect::<Vec<_>>().join(", ")
                    }
                    VariableValue::Series(_) => continue,
                };
                let is_elsewhere = namespace.is_empty() && is_aside(&variable.path) && !is_odd_artifact(variable);
                if let Some(name) = variable.path.strip_prefix(namespace).filter(|_| !is_elsewhere) {
                    fields.push((inert(name), shown));
                }
            }
            others.push((title, fields));
        }
        for (title, fields) in others {
            section(screen, title, &fields)?;
        }
        Ok(())
    }

    /// The hardware in a few lines for each process.
    fn hardware(&self, screen: &mut Screen) -> Result<(), Failure> {
        let machines = hardware::of(&self.variables);
        for (writer, machine) in machines.iter().take(MACHINES) {
            let mut title = "Hardware".to_owned();
            if machines.len() > 1 {
                let host = machine.host().map(|host| format!(" on {host}")).unwrap_or_default();
                title = format!("Hardware, process {writer}{host}");
            }
            section(screen, &title, &machine.told())?;
        }
        if machines.len() > MACHINES {
            let more = number::counted((machines.len() - MACHINES) as u64, "more process", "more processes");
            screen.line(painted(DIM, format_args!("  {more}; --json has everything")))?;
        }
        Ok(())
    }

    /// What the tracing layer logged, and how to look at it.
    fn traces(&self, screen: &mut Screen) -> Result<(), Failure> {
        let id = inert(&self.key.short_id);
        let mut lines = Vec::new();
        let spans = Spans::of(&self.variables).count() as u64;
        if spans > 0 {
            lines.push(("Timings", format!("{}; see `neptune timings {id}`", number::counted(spans, "span", "spans"))));
        }
        let kept: u64 = kept::of(&self.variables).map(|(_, summary)| summary.statistics.count).sum();
        if kept > 0 {
            lines.push(("Steps", format!("{} kept whole; see `neptune trace {id}`", number::count(kept))));
        }
        for (path, title, one, many) in TEXTS {
            if let Some((_, summary)) = self.texts().find(|(text, _)| *text == path) {
                let count = number::counted(summary.statistics.count, one, many);
                lines.push((title, format!("{count}; see `neptune tail {id} {path}`")));
            }
        }
        let column = lines.iter().map(|(title, _)| title.len()).max().unwrap_or(0);
        for (at, (title, line)) in lines.into_iter().enumerate() {
            if at == 0 {
                screen.line("")?;
            }
            screen.line(format_args!("{}  {line}", painted(BOLD, format_args!("{title:<column$}"))))?;
        }
        Ok(())
    }

    fn chart(&self, screen: &mut Screen, store: &Store, path: &str) -> Result<(), Failure> {
        let width = screen.chart_width().min(CHART);
        let all = f64::NEG_INFINITY..=f64::INFINITY;
        let overview = store.overview(&self.key, path, all, chart::buckets(width))?;
        let lines = chart::chart(&overview, width);
        let not_finite: u64 = overview.iter().map(|bucket| bucket.nonfinite).sum();
        screen.line("")?;
        let more = match not_finite {
            0 => String::new(),
            _ => painted(
                DIM,
                format_args!("  {} NaN or infinite", number::counted(not_finite, "point is", "points are")),
            ),
        };
        screen.line(format_args!("{}{more}", painted(BOLD, inert(path))))?;
        for line in lines {
            screen.line(match line.find(['\u{2524}', '\u{2502}']) {
                Some(side) => format!("{}{}", painted(DIM, &line[..side + 3]), painted(GOING, &line[side + 3..])),
                None => painted(DIM, line),
            })?;
        }
        Ok(())
    }

    fn losses(&self, screen: &mut Screen) -> Result<(), Failure> {
        if self.lost.is_empty() {
            return Ok(());
        }
        screen.line("")?;
        for (reason, count) in self.lost.iter() {
            let lost = painted(BAD, format_args!("not kept: {} {reason}", number::count(count)));
            screen.line(format_args!("{lost} ({})", reason.explanation()))?;
        }
        Ok(())
    }
}

/// Whether something that is no file lies where artifacts are.
fn is_odd_artifact(variable: &Variable) -> bool {
    variable.path.starts_with(ARTIFACTS) && variable.kind != VariableType::atom(Content::File)
}

/// Names and values below a title; nothing when there are none.
fn section(screen: &mut Screen, title: &str, fields: &[(String, String)]) -> Result<(), Failure> {
    /// Longer names push their own value to the right, not those of others.
    const LONGEST: usize = 32;
    if fields.is_empty() {
        return Ok(());
    }
    screen.line(format_args!("\n{}", painted(BOLD, title)))?;
    let column = fields.iter().map(|(name, _)| width(name)).filter(|width| *width <= LONGEST).max().unwrap_or(0);
    for (name, shown) in fields {
        let padding = column.saturating_sub(width(name));
        // A document of a megabyte would push everything else off a terminal.
        let shown = if screen.width.is_some() { cut(shown, MOST_SHOWN) } else { shown.clone() };
        screen.line(format_args!("  {}{:padding$}  {shown}", painted(DIM, name), ""))?;
    }
    Ok(())
}
