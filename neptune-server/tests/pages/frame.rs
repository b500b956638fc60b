//! What all pages have in common.

use crate::site::Site;

#[test]
fn an_empty_folder_says_what_fills_it_and_shows_what_is_logged_without_a_reload() {
    let site = Site::new();
    let mut browser = site.open("/");
    browser.wait_for_text(".empty", "Nothing was logged here yet");
    browser.value("window.stays = true");
    let experiment = site.experiment();
    browser.wait_for_text(".card", "1 running");
    assert_eq!(browser.value("window.stays"), true, "the page was loaded anew");
    experiment.stop().unwrap();
    browser.wait_for("!document.body.innerText.includes('running')");
}

#[test]
fn the_theme_is_that_of_the_system_until_somebody_chooses_another() {
    let site = Site::new();
    let mut browser = site.open("/");
    let theme = "document.documentElement.dataset.theme";
    browser.prefer_dark(true);
    browser.wait_for(&format!("{theme} === 'dark'"));
    browser.press("t");
    browser.wait_for(&format!("{theme} === 'light'"));
    browser.go(&site.url("/"));
    assert_eq!(browser.value(theme), "light");
}

#[test]
fn an_address_of_nothing_says_so_and_an_experiment_that_is_not_there_is_named() {
    let site = Site::new();
    let mut browser = site.open("/nowhere");
    browser.wait_for_text(".empty", "nothing at this address");
    assert!(browser.requests().iter().any(|request| request.ends_with("/ui/main.js")));
    assert_eq!(browser.take_wrong(), [""; 0]);
}
