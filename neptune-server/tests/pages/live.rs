//! What is logged appears on a page that is open, without loading it again.

use neptune_core::Image;

use crate::site::Site;

/// Marks the page, so that it is noticed when it is loaded anew.
const MARK: &str = "window.stays = true";

#[test]
fn new_points_appear_in_an_open_chart() {
    let site = Site::new();
    let experiment = site.experiment();
    experiment.log_metric_at("loss", 0, 1.0);
    let mut browser = site.open("/e/latest?tab=charts");
    browser.wait_for_text(".chart .unseen", "loss");
    browser.value(MARK);
    experiment.log_metric_at("loss", 1, 0.5);
    experiment.log_metric_at("loss", 2, 0.123_25);
    browser.wait_for_text(".chart .unseen", "0.12325");
    experiment.log_metric_at("accuracy", 2, 0.9);
    browser.wait_for_text(".chart .unseen", "accuracy");
    assert_eq!(browser.value("window.stays"), true);
    experiment.stop().unwrap();
}

#[test]
fn a_new_image_appears_and_its_bytes_are_shown() {
    let site = Site::new();
    let experiment = site.experiment();
    let image = |shade: u8| Image::from_u8(&[shade; 64], 8, 8, 1).unwrap().name(format!("shade {shade}"));
    experiment.log_image_at("samples", 0, image(10));
    let mut browser = site.open("/e/latest?tab=images");
    browser.wait_for("document.querySelector('.images img')?.naturalWidth === 8");
    browser.value(MARK);
    experiment.log_image_at("samples", 1, image(200));
    browser.wait_for_text(".images figure", "shade 200");
    browser.wait_for("document.querySelector('.images img')?.naturalWidth === 8");
    assert_eq!(browser.value("window.stays"), true);
    experiment.stop().unwrap();
}

#[test]
fn the_console_follows_what_is_printed() {
    let site = Site::new();
    let experiment = site.experiment();
    let printed = experiment.series::<String>("monitoring/trainer/stdout").unwrap();
    printed.append("epoch 1");
    let mut browser = site.open("/e/latest?tab=console");
    browser.wait_for_text(".console .row", "epoch 1");
    browser.value(MARK);
    printed.append("epoch 2 \u{1b}[31mred\u{1b}[0m");
    browser.wait_for_text(".console .row", "epoch 2 red");
    assert_eq!(browser.value("window.stays"), true);
    experiment.stop().unwrap();
}

#[test]
fn a_running_experiment_ends_on_the_page_that_shows_it() {
    let site = Site::new();
    let experiment = site.experiment();
    experiment.log_metric("loss", 1.0);
    let mut browser = site.open("/e/latest");
    browser.wait_for_text(".state", "running");
    experiment.stop().unwrap();
    browser.wait_for_text(".state", "succeeded");
}
