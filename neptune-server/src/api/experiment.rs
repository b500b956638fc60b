//! `GET /experiments/{id}` and its variables.

use axum::{Json, extract};
use neptune_core::{AtomValue, Timestamp};
use neptune_store::{
    ExperimentQuery, Store,
    read::{ExperimentKey, SeriesSummary, Variable, VariableValue},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Problem, State,
    asked::{Id, Path, Query},
    value::{AnyValue, Number},
};
use crate::clock;

/// The word for the experiment that was made last.
const LATEST: &str = "latest";

/// The most variables of one answer.
const MOST: usize = 20_000;

/// The most bytes of text of one answer, but for its last variable.
const MOST_BYTES: usize = 64 << 20;

#[derive(Serialize, ToSchema)]
pub(super) struct Experiment {
    /// The short id, such as `MNI-12`.
    id: String,
    uuid: String,
    project: String,
    name: Option<String>,
    description: Option<String>,
    /// `running`, `succeeded`, `failed` or `aborted`; nothing when it never ran.
    state: Option<String>,
    /// Why it failed or was aborted, when somebody said so.
    failure: Option<String>,
    is_trashed: bool,
    /// Whether there are artifacts, and sources, to download.
    has_artifacts: bool,
    has_sources: bool,
    tags: Vec<String>,
    /// Microseconds since the epoch, UTC; as all times.
    created: Option<i64>,
    finished: Option<i64>,
    /// How long processes logged to it until now, in seconds.
    running_time: f64,
    /// What was logged and is not kept, by reason.
    lost: Vec<Lost>,
    /// The processes that logged to it, the oldest first.
    writers: Vec<Writer>,
}

#[derive(Serialize, ToSchema)]
struct Lost {
    reason: &'static str,
    count: u64,
    /// What happened, and what to do about it.
    explanation: &'static str,
}

#[derive(Serialize, ToSchema)]
struct Writer {
    id: String,
    host: String,
    pid: u32,
    opened: i64,
    closed: Option<i64>,
}

/// One experiment. `id` is a short id, a UUID, or `latest`.
#[utoipa::path(get, path = "/experiments/{id}", params(Id), responses((status = 200, body = Experiment), (status = 404, body = Problem)))]
pub(super) async fn experiment(
    extract::State(state): extract::State<State>,
    Path(id): Path<String>,
) -> Result<Json<Experiment>, Problem> {
    let found = state.readers.read(move |store| {
        let key = find(store, &id)?;
        let running_time = store.running_time(&key, clock::now())?.as_secs_f64();
        let mut found = Experiment {
            id: key.short_id.clone(),
            uuid: key.uuid.to_string(),
            project: key.project.to_string(),
            name: None,
            description: None,
            state: None,
            failure: None,
            is_trashed: false,
            has_artifacts: store.has_files(&key, "artifacts/")?,
            has_sources: store.has_files(&key, "source_code/")?,
            tags: Vec::new(),
            created: None,
            finished: None,
            running_time,
            lost: Vec::new(),
            writers: Vec::new(),
        };
        for variable in store.variables(&key, "sys/")? {
            found.fill(variable);
        }
        found.lost = store
            .lost(&key)?
            .iter()
            .map(|(reason, count)| Lost { reason: reason.name(), count, explanation: reason.explanation() })
            .collect();
        let writers = store.writers(&key)?.into_iter().map(|writer| Writer {
            id: writer.writer.to_string(),
            host: writer.host,
            pid: writer.pid,
            opened: writer.opened.as_micros(),
            closed: writer.closed.map(Timestamp::as_micros),
        });
        found.writers = writers.collect();
        Ok(found)
    });
    Ok(Json(found.await?))
}

impl Experiment {
    fn fill(&mut self, variable: Variable) {
        match (variable.path.as_str(), variable.value) {
            ("sys/name", VariableValue::Atom(AtomValue::String(text))) => self.name = Some(text),
            ("sys/description", VariableValue::Atom(AtomValue::String(text))) => self.description = Some(text),
            ("sys/state", VariableValue::Atom(AtomValue::String(text))) => self.state = Some(text),
            ("sys/failure", VariableValue::Atom(AtomValue::String(text))) => self.failure = Some(text),
            ("sys/trashed", VariableValue::Atom(AtomValue::Bool(yes))) => self.is_trashed = yes,
            ("sys/creation_time", VariableValue::Atom(AtomValue::Datetime(time))) => {
                self.created = Some(time.as_micros());
            }
            ("sys/completion_time", VariableValue::Atom(AtomValue::Datetime(time))) => {
                self.finished = Some(time.as_micros());
            }
            ("sys/tags", VariableValue::Set(tags)) => self.tags = tags,
            _ => {}
        }
    }
}

/// The experiment of this name, or the one that was made last.
pub(super) fn find(store: &Store, id: &str) -> Result<ExperimentKey, Problem> {
    if id != LATEST {
        return Ok(store.find(id)?);
    }
    let newest = store.experiments(&ExperimentQuery::default().limit(1))?;
    match newest.rows.first() {
        Some(row) => Ok(store.experiment(row.id)?),
        None => Err(Problem::not_found("there is no experiment yet")),
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only variables whose path begins with this.
    #[serde(default)]
    prefix: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Variables {
    /// By path; the first 20,000, or 64 MiB.
    variables: Vec<Told>,
    /// How many there are.
    total: usize,
}

/// A variable.
#[derive(Serialize, ToSchema)]
struct Told {
    path: String,
    /// Such as `Atom(int)` or `Series(float)`.
    kind: String,
    /// Of an atom its value, of a set its members, of a series the value at its last step.
    value: AnyValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    series: Option<Summary>,
}

/// A series in brief.
#[derive(Serialize, ToSchema)]
struct Summary {
    count: u64,
    /// How many of the points are NaN or infinite; the figures leave them out.
    nonfinite: u64,
    minimum: Option<f64>,
    maximum: Option<f64>,
    mean: Option<f64>,
    first_step: Number,
    last_step: Number,
    last_time: i64,
}

impl Summary {
    fn of(summary: &SeriesSummary) -> Self {
        let statistics = summary.statistics;
        let finite = statistics.count.saturating_sub(statistics.nonfinite);
        Self {
            count: statistics.count,
            nonfinite: statistics.nonfinite,
            minimum: statistics.minimum,
            maximum: statistics.maximum,
            mean: statistics.minimum.map(|_| statistics.total / finite as f64).filter(|mean| mean.is_finite()),
            first_step: Number(summary.first_step),
            last_step: Number(summary.last_step),
            last_time: summary.last_time.as_micros(),
        }
    }
}

/// The variables of an experiment.
#[utoipa::path(get, path = "/experiments/{id}/variables", params(Id, Wanted), responses((status = 200, body = Variables), (status = 404, body = Problem)))]
pub(super) async fn variables(
    extract::State(state): extract::State<State>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Variables>, Problem> {
    let found = state.readers.read(move |store| {
        let key = find(store, &id)?;
        let variables = store.variables(&key, &wanted.prefix)?;
        let total = variables.len();
        let mut bytes = 0;
        let fits = |variable: &Variable| {
            let has_room = bytes < MOST_BYTES;
            bytes += length(&variable.value);
            has_room
        };
        let told = variables.into_iter().take(MOST).take_while(fits).map(|variable| {
            let kind = variable.kind.to_string();
            let (value, series) = match variable.value {
                VariableValue::Atom(value) => (AnyValue::atom(value), None),
                VariableValue::Set(set) => (AnyValue::Set { set }, None),
                VariableValue::Series(summary) => {
                    let brief = Summary::of(&summary);
                    (AnyValue::atom(summary.last), Some(brief))
                }
            };
            Told { path: variable.path, kind, value, series }
        });
        Ok(Variables { variables: told.collect(), total })
    });
    Ok(Json(found.await?))
}

/// The bytes of the text in a value.
fn length(value: &VariableValue) -> usize {
    let of_atom = |value: &AtomValue| match value {
        AtomValue::String(text) | AtomValue::Json(text) => text.len(),
        _ => 0,
    };
    match value {
        VariableValue::Atom(value) => of_atom(value),
        VariableValue::Series(summary) => of_atom(&summary.last),
        VariableValue::Set(members) => members.iter().map(String::len).sum(),
    }
}
