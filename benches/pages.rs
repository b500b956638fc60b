//! What the pages of `neptune ui` take in a real browser, on folders as large as people have them.
//!
//! `cargo bench -p neptune-benches --bench pages` makes the folders, opens the pages in headless Chromium and writes `PAGES.md`. Times
//! are from the beginning of a navigation, or from a key or the mouse, to the frame in which what was asked for is painted.

#![expect(clippy::unwrap_used, reason = "the driver of the browser is that of the tests, which fail by panicking")]

#[path = "../neptune-server/tests/pages/browser.rs"]
#[expect(dead_code, reason = "the tests do more with it")]
mod browser;

use std::{path::Path, thread};

use neptune_benches::{Report, median, stored};
use neptune_server::Ui;
use serde_json::{Value, json};

use crate::browser::Browser;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Runs of each measurement; the median counts, but where the first is told as well.
const RUNS: usize = 5;

fn main() -> Outcome {
    // `cargo test --benches` only asks whether this runs.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let mut report = Report::default();
    table(&mut report)?;
    overlaid(&mut report)?;
    many_series(&mut report)?;
    report.write("pages", "PAGES.md")
}

/// Serves a folder until this program ends; returns its address.
fn serve(folder: &Path) -> Outcome<String> {
    let ui = Ui::new(folder).bind("127.0.0.1:0".parse()?)?;
    let url = ui.url().trim_end_matches('/').to_owned();
    thread::Builder::new().name("bench:ui".into()).spawn(move || ui.serve())?;
    Ok(url)
}

/// Milliseconds from the navigation that opened this page to the frame in which `condition` is first true.
fn painted(browser: &mut Browser, url: &str, condition: &str) -> f64 {
    browser.go(url);
    since(browser, "0", condition)
}

/// Milliseconds from `began`, a time of the page, to the frame in which `condition` is first true.
fn since(browser: &mut Browser, began: &str, condition: &str) -> f64 {
    let waited = browser.value(&format!(
        "new Promise((done) => {{ const look = () => ({condition}) ? requestAnimationFrame(() => done(performance.now() - ({began}))) \
         : requestAnimationFrame(look); look(); }})"
    ));
    waited.as_f64().unwrap()
}

fn table(report: &mut Report) -> Outcome {
    const EXPERIMENTS: u32 = 10_000;
    const COLUMNS: u32 = 200;
    let folder = tempfile::tempdir_in(".")?;
    drop(stored::fill_table(folder.path(), EXPERIMENTS, COLUMNS)?);
    let site = serve(folder.path())?;
    let columns: Vec<String> = (0..COLUMNS).map(|column| format!("metrics%2Fcolumn{column:03}")).collect();
    let address = format!("{site}/p/bench/table?view=table&columns={}", columns.join("%2C"));
    let mut browser = Browser::open(&format!("{site}/"));
    let (mut firsts, mut filters) = (Vec::new(), Vec::new());
    for run in 0..RUNS {
        let rows =
            "[...document.querySelectorAll('.runs tbody td.number')].filter((it) => it.textContent !== '').length > 20";
        firsts.push(painted(&mut browser, &address, rows));
        // Each time another query, so that no answer is one that was kept.
        let query = format!("metrics/column007 < 0.{}", 3 + run);
        browser.value(
            "addEventListener('keydown', (event) => { if (event.key === 'Enter') window.began = performance.now(); }, {capture: true}); \
             window.before = document.querySelector('.count').textContent",
        );
        browser.press("/");
        browser.type_text(&query);
        browser.press("Enter");
        filters.push(since(
            &mut browser,
            "window.began",
            "document.querySelector('.count').textContent !== window.before",
        ));
    }
    let (first, filter) = (median(firsts), median(filters));
    report.bar(
        "table of 10,000 experiments x 200 columns: first rows",
        format!("{first:.0} ms"),
        String::new(),
        "<= 1,000 ms",
        first <= 1000.0,
    );
    report.bar("the same, filtered by a query", format!("{filter:.0} ms"), String::new(), "<= 150 ms", filter <= 150.0);
    Ok(())
}

/// Tells when a chart is drawn, other than its cursor.
const WATCH: &str = "window.drawn = []; const clear = CanvasRenderingContext2D.prototype.clearRect; \
    CanvasRenderingContext2D.prototype.clearRect = function (...box) { \
        if (!this.canvas.classList.contains('cursor')) window.drawn.push(performance.now()); return clear.apply(this, box); }; \
    addEventListener('mouseup', () => { window.drawn = []; window.began = performance.now(); }, {capture: true}); \
    addEventListener('pointerup', () => { window.drawn = []; window.began = performance.now(); }, {capture: true});";

fn overlaid(report: &mut Report) -> Outcome {
    const EXPERIMENTS: usize = 100;
    let folder = tempfile::tempdir_in(".")?;
    for _ in 0..EXPERIMENTS {
        drop(stored::fill_series(folder.path(), &["train/loss"], 1_000_000)?);
    }
    let ids: Vec<String> = (1..=EXPERIMENTS).map(|number| format!("SER-{number}")).collect();
    let (mut colds, mut warms, mut seens, mut refined) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        // A server that has read nothing yet.
        let site = serve(folder.path())?;
        let address = format!("{site}/p/bench/series?view=charts&eye={}", ids.join("%2C"));
        let mut browser = Browser::open(&format!("{site}/"));
        let is_drawn = "(document.querySelector('.chart .caption')?.textContent ?? '') !== ''";
        colds.push(painted(&mut browser, &address, is_drawn));
        warms.push(painted(&mut browser, &address, is_drawn));
        browser.value(WATCH);
        let mut from = 0.1;
        for _ in 0..3 {
            browser.hover(".chart .plot", (0.5, 0.5));
            browser.drag(".chart .plot", (from, 0.5), (from + 0.5, 0.5));
            from += 0.1;
            // Drawn at once with what is there, and once more when the finer pieces have come.
            seens.push(since(&mut browser, "window.began", "window.drawn.length > 0"));
            let quiet = "window.drawn.length > 1 && performance.now() - window.drawn.at(-1) > 400";
            since(&mut browser, "0", quiet);
            refined.push(browser.value("window.drawn.at(-1) - window.began").as_f64().unwrap());
        }
    }
    let (first, again) = (median(colds), median(warms));
    report.bar(
        "100 experiments of 1,000,000 points in one chart, by a server that has read nothing yet",
        format!("{first:.0} ms; {again:.0} ms when it has"),
        String::new(),
        "<= 1,000 ms",
        first <= 1000.0,
    );
    let (seen, fine) = (median(seens), median(refined));
    report.bar(
        "a zoom of that chart, until it is drawn in the pieces of the window",
        format!("{fine:.0} ms; with those at hand {seen:.0} ms"),
        String::new(),
        "<= 200 ms",
        fine <= 200.0,
    );
    let mut browser = Browser::open(&format!("{}/", serve(folder.path())?));
    let mut drawn = |smoothing: f64| {
        let work = DRAW.replace("SMOOTHING", &smoothing.to_string());
        median((0..RUNS).map(|_| browser.value(&work).as_f64().unwrap()).collect())
    };
    let (draw, smooth) = (drawn(0.0), drawn(0.9));
    report.bar(
        "drawing 100 lines of 10,000 points, 1,200 x 600 pixels",
        format!("{draw:.0} ms; smoothed, with the raw lines behind, {smooth:.0} ms"),
        String::new(),
        "<= 40 ms",
        draw <= 40.0,
    );
    Ok(())
}

/// Draws lines that the page has already.
const DRAW: &str = "import('/ui/chart.js').then(async ({ Chart }) => { \
    const host = document.createElement('div'); document.body.append(host); \
    const chart = new Chart(host, { title: 'drawn', smoothing: SMOOTHING }); \
    chart.plot.style.width = '1200px'; chart.plot.style.height = '600px'; \
    const lines = Array.from({ length: 100 }, (_, line) => { \
        const steps = Array.from({ length: 10000 }, (_, step) => step); \
        const values = steps.map((step) => line + Math.sin(step / 50 + line) + Math.sin(step * 12.9898) ); \
        const times = steps.map((step) => step * 1000); const none = steps.map(() => 0); \
        return { key: String(line), label: String(line), style: { color: '#336699', dash: [] }, start: 0, overview: { count: steps.map(() => 1), \
            nonfinite: none, positive_infinite: none, negative_infinite: none, first_step: steps, last_step: steps, first_time: times, last_time: times, first: values, last: values, \
            minimum_step: steps, minimum: values, maximum_step: steps, maximum: values, mean: values } }; }); \
    chart.setSeries(lines); \
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))); \
    chart.draw(); const took = chart.drawMilliseconds; chart.close(); host.remove(); return took; })";

fn many_series(report: &mut Report) -> Outcome {
    const SERIES: usize = 10_000;
    let folder = tempfile::tempdir_in(".")?;
    let paths: Vec<String> =
        (0..SERIES).map(|number| format!("logs/layer_{:02}/weight_{:03}", number / 200, number % 200)).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    drop(stored::fill_series(folder.path(), &paths, 100)?);
    let site = serve(folder.path())?;
    let mut browser = Browser::open(&format!("{site}/"));
    for (tab, what, condition) in [
        (
            "overview",
            "an experiment of 10,000 series: its overview",
            "document.querySelector('.overview')?.childElementCount > 0",
        ),
        (
            "charts",
            "the same: its first charts",
            "(document.querySelector('.chart .caption')?.textContent ?? '') !== ''",
        ),
        ("variables", "the same: all variables", "document.querySelectorAll('table.variables tbody tr').length > 10"),
    ] {
        let times: Vec<f64> =
            (0..RUNS).map(|_| painted(&mut browser, &format!("{site}/e/SER-1?tab={tab}"), condition)).collect();
        let took = median(times);
        report.bar(what, format!("{took:.0} ms"), String::new(), "<= 1,000 ms", took <= 1000.0);
    }
    let counted: Value = browser.value("document.querySelectorAll('table.variables tbody tr').length");
    assert!(counted != json!(0));
    Ok(())
}
