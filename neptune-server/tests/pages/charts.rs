//! Line charts: what is seen, zoomed, averaged and pointed at.

use neptune_core::Experiment;

use crate::{browser::Browser, site::Site};

const PATIENCE: std::time::Duration = std::time::Duration::from_mins(1);
const CAPTION: &str = "document.querySelector('.chart .caption')?.textContent ?? ''";

fn open(site: &Site, experiment: &Experiment, query: &str) -> Browser {
    experiment.flush(PATIENCE).unwrap();
    let mut browser = site.open(&format!("/e/{}?tab=charts{query}", experiment.id()));
    browser.wait_for(&format!("({CAPTION}) !== ''"));
    browser
}

fn log(experiment: &Experiment, steps: std::ops::Range<u32>) {
    for step in steps {
        experiment.log_metric_at("train/loss", step, 1.0 / f64::from(step + 1) + f64::from(step % 7));
    }
}

#[test]
fn a_zoom_asks_for_the_points_themselves_and_says_what_is_seen() {
    let site = Site::new();
    let experiment = site.experiment();
    log(&experiment, 0..20_000);
    let mut browser = open(&site, &experiment, "");
    browser.wait_for(&format!("({CAPTION}).includes('points per pixel')"));
    browser.drag(".chart .plot", (0.5, 0.5), (0.52, 0.5));
    browser.wait_for(&format!("({CAPTION}) === 'raw points'"));
    assert!(browser.value("location.search").as_str().unwrap().contains("zoom="), "the zoom is in the address");
    let address = browser.value("location.href");
    browser.go(address.as_str().unwrap());
    browser.wait_for(&format!("({CAPTION}) === 'raw points'"));
    browser.value("document.querySelector('.chart .plot').focus()");
    browser.press("0");
    browser.wait_for(&format!("({CAPTION}).includes('points per pixel') && !location.search.includes('zoom=')"));
    experiment.stop().unwrap();
}

#[test]
fn points_are_drawn_as_they_are_logged() {
    let site = Site::new();
    let experiment = site.experiment();
    log(&experiment, 0..50);
    let mut browser = open(&site, &experiment, "");
    let last = |step: u32| format!("document.querySelector('.chart table td:last-child')?.textContent === '{step}'");
    browser.wait_for(&last(49));
    log(&experiment, 50..60);
    experiment.log_metric("validation/accuracy", 0.5);
    browser.wait_for(&last(59));
    browser.wait_for_text(".chart h3", "validation/accuracy");
    experiment.stop().unwrap();
}

#[test]
fn one_table_says_what_is_under_the_cursor_of_all_charts() {
    let site = Site::new();
    let experiment = site.experiment();
    for step in 0..100 {
        experiment.log_metric_at("a", step, f64::from(step));
        experiment.log_metric_at("b", step, f64::from(step) * 2.0);
    }
    let mut browser = open(&site, &experiment, "&smooth=0.5");
    browser.wait_for("document.querySelectorAll('.chart table tbody tr').length === 2");
    browser.hover(".chart .plot", (0.5, 0.5));
    browser.wait_for_text(".chart-tip", "smoothed");
    browser.click(".chart .plot");
    browser.wait_for(
        "document.querySelector('.chart-tip.frozen') && document.querySelectorAll('.chart-tip').length === 1",
    );
    browser.press("Escape");
    browser.wait_for("document.querySelector('.chart-tip').hidden");
    browser.value("document.querySelector('.chart .plot').focus()");
    browser.press("End");
    browser.wait_for_text(".chart-tip", "step 99");
    browser.press("ArrowLeft");
    browser.wait_for_text(".chart-tip", "step 98");
    browser.press("s");
    browser.wait_for_text(".chart-tip button", "order: default");
    browser.press("f");
    browser.wait_for("document.querySelector('.chart.full') && location.search.includes('full=')");
    experiment.stop().unwrap();
}

#[test]
fn an_average_is_not_drawn_to_zero_and_leaves_out_what_is_no_number() {
    let site = Site::new();
    let mut browser = site.open("/");
    let smoothed = "import('/ui/chart-data.js').then((it) => [...it.smoothed([2, 2, NaN, 2], 0.9)].map((value) => \
                    Number.isNaN(value) ? 'NaN' : Math.round(value * 1e9) / 1e9))";
    assert_eq!(browser.value(smoothed), serde_json::json!([2, 2, "NaN", 2]));
}

#[test]
fn charts_are_found_by_what_they_have_and_what_they_have_not() {
    let site = Site::new();
    let experiment = site.experiment();
    for path in ["train/loss", "train/norm", "eval/loss"] {
        experiment.log_metric(path, 1.0);
    }
    let mut browser = open(&site, &experiment, "");
    let titles = "[...document.querySelectorAll('.chart h3')].map((it) => it.textContent).join()";
    browser.wait_for(&format!("{titles} === 'eval/loss,train/loss,train/norm'"));
    browser.click(".charts-bar input[type=search]");
    browser.type_text("train & !norm");
    browser.wait_for(&format!("{titles} === 'train/loss'"));
    experiment.stop().unwrap();
}
