//! The pages, compiled into the program.
//!
//! Every address that is no file is the one page, whose script shows what the address asks for.

use axum::{
    http::{Method, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};

use crate::api::nothing_in_the_api;

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
    "index.html": "text/html; charset=utf-8",
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

pub(crate) async fn serve(method: Method, uri: Uri) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
    }
    let wanted = match uri.path().strip_prefix(FILES) {
        Some(name) => name,
        None if uri.path() == "/api" || uri.path().starts_with("/api/") => return nothing_in_the_api().into_response(),
        None => "index.html",
    };
    match ASSETS.iter().find(|(name, ..)| *name == wanted) {
        // The next version may be another program at the same address.
        Some((_, kind, bytes)) => {
            ([(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, "no-cache")], *bytes).into_response()
        }
        None => (StatusCode::NOT_FOUND, "there is nothing at this address").into_response(),
    }
}
