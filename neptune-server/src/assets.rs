//! The pages, compiled into the program.
//!
//! Every address that is no file is the one page, whose script shows what the address asks for.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::LazyLock,
};

use axum::{
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};

use crate::{
    api::{Problem, not_this, nothing_in_the_api},
    page,
};

macro_rules! assets {
    ($($name:literal: $kind:expr),* $(,)?) => {
        &[$(($name, $kind, include_bytes!(concat!("../ui/", $name)))),*]
    };
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Name, type and bytes of each file.
const ASSETS: &[(&str, &str, &[u8])] = assets! {
    "ansi.js": SCRIPT,
    "api.js": SCRIPT,
    "app.css": STYLE,
    "chart-axes.js": SCRIPT,
    "chart-cursor.js": SCRIPT,
    "chart-data.js": SCRIPT,
    "chart-draw.js": SCRIPT,
    "chart-export.js": SCRIPT,
    "chart-groups.js": SCRIPT,
    "chart-lines.js": SCRIPT,
    "chart-pointer.js": SCRIPT,
    "chart-series.js": SCRIPT,
    "chart-svg.js": SCRIPT,
    "chart-table.js": SCRIPT,
    "chart.css": STYLE,
    "chart.js": SCRIPT,
    "charts-bar.js": SCRIPT,
    "charts-card.js": SCRIPT,
    "charts-choose.js": SCRIPT,
    "charts-feed.js": SCRIPT,
    "charts-groups.js": SCRIPT,
    "charts-paths.js": SCRIPT,
    "charts.css": STYLE,
    "charts.js": SCRIPT,
    "compare-axes.js": SCRIPT,
    "compare-axis.js": SCRIPT,
    "compare-brushes.js": SCRIPT,
    "compare-colors.js": SCRIPT,
    "compare-data.js": SCRIPT,
    "compare-drag.js": SCRIPT,
    "compare-heads.js": SCRIPT,
    "compare-many.css": STYLE,
    "compare-many.js": SCRIPT,
    "compare-parallel-draw.js": SCRIPT,
    "compare-parallel.js": SCRIPT,
    "compare-pick.js": SCRIPT,
    "compare-propose.js": SCRIPT,
    "compare-rank.js": SCRIPT,
    "compare-rows.js": SCRIPT,
    "compare-scatter-draw.js": SCRIPT,
    "compare-scatter.js": SCRIPT,
    "compare-table.js": SCRIPT,
    "compare-tip.js": SCRIPT,
    "compare.css": STYLE,
    "compare.js": SCRIPT,
    "difference.js": SCRIPT,
    "dom.js": SCRIPT,
    "empty.js": SCRIPT,
    "enlarge.js": SCRIPT,
    "experiment-abort.js": SCRIPT,
    "experiment-artifacts.js": SCRIPT,
    "experiment-charts.js": SCRIPT,
    "experiment-code.js": SCRIPT,
    "experiment-console.js": SCRIPT,
    "experiment-gantt.js": SCRIPT,
    "experiment-hardware.js": SCRIPT,
    "experiment-header.js": SCRIPT,
    "experiment-images.js": SCRIPT,
    "experiment-lineage.js": SCRIPT,
    "experiment-overview.js": SCRIPT,
    "experiment-timings.js": SCRIPT,
    "experiment-variable.js": SCRIPT,
    "experiment-variables.js": SCRIPT,
    "experiment.css": STYLE,
    "experiment.js": SCRIPT,
    "experiments.css": STYLE,
    "experiments.js": SCRIPT,
    "figure.js": SCRIPT,
    "files.js": SCRIPT,
    "followed.js": SCRIPT,
    "format.js": SCRIPT,
    "icon.svg": "image/svg+xml",
    "keyed.js": SCRIPT,
    "keys.js": SCRIPT,
    "live.js": SCRIPT,
    "main.js": SCRIPT,
    "media.js": SCRIPT,
    "notice.js": SCRIPT,
    "palette.js": SCRIPT,
    "projects.js": SCRIPT,
    "rich-figure.js": SCRIPT,
    "runs-bulk.js": SCRIPT,
    "runs-cells.js": SCRIPT,
    "runs-charts.js": SCRIPT,
    "runs-choose.js": SCRIPT,
    "runs-columns.js": SCRIPT,
    "runs-groups.js": SCRIPT,
    "runs-lines.js": SCRIPT,
    "runs-marks.js": SCRIPT,
    "runs-query.js": SCRIPT,
    "runs-rows.js": SCRIPT,
    "runs-split.js": SCRIPT,
    "runs-table.js": SCRIPT,
    "runs-views.js": SCRIPT,
    "search.js": SCRIPT,
    "state.js": SCRIPT,
    "theme.js": SCRIPT,
    "tree.js": SCRIPT,
    "virtual.js": SCRIPT,
};

/// Where files are; every other address is a page.
const FILES: &str = "/ui/";

/// What a browser that has the files of this program knows them by: another program may be at the same address next time.
static TAG: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = DefaultHasher::new();
    ASSETS.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
});

/// The modules: name and text of each.
pub(crate) fn scripts() -> impl Iterator<Item = (&'static str, &'static str)> {
    let scripts = ASSETS.iter().filter(|(_, kind, _)| *kind == SCRIPT);
    scripts.filter_map(|(name, _, bytes)| Some((*name, str::from_utf8(bytes).ok()?)))
}

pub(crate) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return ([(header::ALLOW, "GET, HEAD")], not_this(&method)).into_response();
    }
    let Some(wanted) = uri.path().strip_prefix(FILES) else {
        if uri.path() == "/api" || uri.path().starts_with("/api/") {
            return nothing_in_the_api().into_response();
        }
        let described = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
        return (described, page::page(&uri)).into_response();
    };
    let Some((_, kind, bytes)) = ASSETS.iter().find(|(name, ..)| *name == wanted) else {
        return Problem::not_found("the pages have no such file; they are at /").into_response();
    };
    let described = [(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, "no-cache"), (header::ETAG, TAG.as_str())];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == TAG.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, described).into_response();
    }
    (described, *bytes).into_response()
}
