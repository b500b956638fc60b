//! The table of experiments, their charts, and what is done with both.

use serde_json::json;

use crate::site::Site;

/// Three experiments that ended, the first with the highest loss.
fn three() -> Site {
    let site = Site::new();
    for (name, rate, loss) in [("first", 0.3, 0.9), ("second", 0.1, 0.5), ("third", 0.01, 0.1)] {
        let experiment = site.experiment();
        experiment.set_name(name);
        experiment.log_params(&json!({"rate": rate})).unwrap();
        for step in 0..100 {
            experiment.log_metric_at("loss", step, loss / f64::from(step + 1));
        }
        experiment.stop().unwrap();
    }
    site
}

#[test]
fn a_query_keeps_what_it_is_true_of_and_an_error_of_it_is_told() {
    let site = three();
    let mut browser = site.open("/p/ada/mnist?view=table");
    browser.wait_for_text("main", "first");
    browser.press("/");
    browser.type_text("rate < 0.2");
    browser.press("Enter");
    browser.wait_for_text(".count", "2 experiments");
    browser.wait_for("['second', 'third'].every((name) => document.querySelector('.runs').textContent.includes(name))");
    assert!(!browser.text().contains("first"));
    assert_eq!(
        browser.value("new URLSearchParams(location.search).get('q') !== null || location.search.includes('rate')"),
        true
    );
    browser.go(&site.url("/p/ada/mnist?view=table"));
    browser.wait_for_text("main", "first");
    browser.press("/");
    browser.type_text("rate <");
    browser.press("Enter");
    browser.wait_for("/expected|value|after/i.test(document.querySelector('main').innerText)");
    // The browser itself tells that the answer was an error.
    browser.take_wrong();
}

#[test]
fn a_chart_is_zoomed_with_the_mouse_and_the_address_keeps_it() {
    let site = three();
    let mut browser = site.open("/p/ada/mnist?view=charts");
    browser.wait_for_text(".chart .caption", "raw");
    browser.hover(".chart .plot", (0.5, 0.5));
    browser.drag(".chart .plot", (0.3, 0.4), (0.6, 0.6));
    browser.wait_for("location.search.includes('zoom=')");
    let zoomed = browser.value("location.href");
    browser.go(zoomed.as_str().unwrap());
    browser.wait_for_text(".chart .caption", "raw");
    assert_eq!(browser.value("location.href"), zoomed);
}

#[test]
fn the_keyboard_chooses_experiments_and_compares_them() {
    let site = three();
    let mut browser = site.open("/p/ada/mnist?view=table");
    browser.wait_for_text("main", "first");
    browser.press("c");
    browser.wait_for("location.pathname === '/compare'");
    browser.wait_for_text("main", "rate");
    browser.wait_for_text("main", "0.01");
}
