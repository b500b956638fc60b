//! `GET /experiments/{id}/difference`: how another experiment differs.

use axum::{Json, extract};
use neptune_core::AtomValue;
use neptune_store::read::{
    self, VariableValue,
    difference::{Change, GroupDifference, SeriesChange, SeriesDifference},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Problem, State,
    asked::{Id, Path, Query},
    experiment::find,
    value::{AnyValue, Number},
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// The other experiment, `b`: a short id, a UUID, or `latest`.
    with: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Difference {
    experiments: Pair,
    is_equal: bool,
    /// What has one value: parameters, code, dependencies, data, environment, hardware and other variables, in this order.
    groups: Vec<Group>,
    series: Series,
}

/// The short ids.
#[derive(Serialize, ToSchema)]
struct Pair {
    a: String,
    b: String,
}

#[derive(Serialize, ToSchema)]
struct Group {
    /// Such as `parameters`.
    name: &'static str,
    /// How many values are equal.
    equal: u64,
    /// By name.
    differing: Vec<Differing>,
}

#[derive(Serialize, ToSchema)]
struct Differing {
    /// Within the group; of processes behind the first one it begins with `process 2/` and so on.
    name: String,
    /// Null where the experiment has none.
    a: Option<AnyValue>,
    b: Option<AnyValue>,
}

#[derive(Serialize, ToSchema)]
struct Series {
    /// How many are equal in every step and value.
    equal: u64,
    /// By path.
    differing: Vec<DifferingSeries>,
}

/// A series that differs. It has either `only`, or `types`, or `divergence`.
#[derive(Serialize, ToSchema)]
struct DifferingSeries {
    path: String,
    /// `a` or `b`, when the other has no such series.
    #[serde(skip_serializing_if = "Option::is_none")]
    only: Option<&'static str>,
    /// The types, when they differ, such as `Series(float)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    types: Option<Pair>,
    /// Where it differs first.
    #[serde(skip_serializing_if = "Option::is_none")]
    divergence: Option<Divergence>,
}

#[derive(Serialize, ToSchema)]
struct Divergence {
    step: Number,
    /// The value at this step; null where there is no point.
    a: Option<AnyValue>,
    b: Option<AnyValue>,
    /// How many points before it are equal.
    equal_points: u64,
    /// How many points there are in all.
    points_a: u64,
    points_b: u64,
}

/// How experiment `b`, the one of `with`, differs from `a`, the one of the path. Names, states and times are not compared, nor
/// are series of the hardware.
#[utoipa::path(get, path = "/experiments/{id}/difference", params(Id, Wanted), responses((status = 200, body = Difference), (status = 404, body = Problem)))]
pub(super) async fn difference(
    extract::State(state): extract::State<State>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Difference>, Problem> {
    let found = state.readers.read(move |store| {
        let (a, b) = (find(store, &id)?, find(store, &wanted.with)?);
        let difference = store.difference(&a, &b)?;
        Ok(Difference::of(Pair { a: a.short_id, b: b.short_id }, difference))
    });
    Ok(Json(found.await?))
}

impl Difference {
    fn of(experiments: Pair, found: read::Difference) -> Self {
        Self {
            experiments,
            is_equal: found.is_empty(),
            groups: found.groups.into_iter().map(Group::from).collect(),
            series: Series {
                equal: found.equal_series,
                differing: found.series.into_iter().map(DifferingSeries::from).collect(),
            },
        }
    }
}

impl From<GroupDifference> for Group {
    fn from(found: GroupDifference) -> Self {
        let differing = found.changes.into_iter().map(Differing::from).collect();
        Self { name: found.group.name(), equal: found.equal, differing }
    }
}

impl From<Change> for Differing {
    fn from(change: Change) -> Self {
        let value = |value: Option<VariableValue>| match value? {
            VariableValue::Atom(value) => Some(AnyValue::atom(value)),
            VariableValue::Set(set) => Some(AnyValue::Set { set }),
            VariableValue::Series(_) => None,
        };
        Self { name: change.name, a: value(change.left), b: value(change.right) }
    }
}

impl From<SeriesDifference> for DifferingSeries {
    fn from(found: SeriesDifference) -> Self {
        let none = Self { path: found.path, only: None, types: None, divergence: None };
        match found.change {
            SeriesChange::OnlyLeft => Self { only: Some("a"), ..none },
            SeriesChange::OnlyRight => Self { only: Some("b"), ..none },
            SeriesChange::Type { left, right } => {
                Self { types: Some(Pair { a: left.to_string(), b: right.to_string() }), ..none }
            }
            SeriesChange::Diverges(found) => {
                let value = |value: Option<AtomValue>| value.map(AnyValue::atom);
                let divergence = Divergence {
                    step: Number(found.step),
                    a: value(found.left),
                    b: value(found.right),
                    equal_points: found.equal,
                    points_a: found.left_count,
                    points_b: found.right_count,
                };
                Self { divergence: Some(divergence), ..none }
            }
            _ => none,
        }
    }
}
