//! What was logged is shown inert, whatever it is.

use crate::site::Site;

const MARKUP: &str = "<img src=x onerror=\"window.taken=1\"><script>window.taken=1</script>";

#[test]
fn names_values_and_texts_are_shown_as_text_on_every_page() {
    let site = Site::new();
    let experiment = site.experiment();
    experiment.set_name(MARKUP);
    experiment.set_description(format!("{MARKUP}\u{1b}[2J\u{202e}"));
    experiment.add_tags([MARKUP]);
    experiment.log_params(&serde_json::json!({ MARKUP: MARKUP, "long": "x".repeat(1_000_000) })).unwrap();
    experiment.set_property("a\u{1b}]0;title\u{7}", "\u{1b}[31m");
    experiment.log_metric_at(MARKUP, 0, 1.0);
    experiment.log_text("notes", MARKUP);
    experiment.series::<String>("monitoring/w/stdout").unwrap().append(MARKUP);
    experiment
        .log_artifact(
            format!("<svg xmlns='http://www.w3.org/2000/svg'><script>{MARKUP}</script></svg>").as_bytes(),
            Some("a.svg"),
        )
        .unwrap();
    experiment.log_artifact(MARKUP.as_bytes(), Some("page.html")).unwrap();
    let id = experiment.short_id().unwrap().to_owned();
    experiment.stop().unwrap();
    let tabs = ["overview", "charts", "images", "console", "variables", "timings", "hardware", "artifacts", "code"];
    let pages = tabs.map(|tab| format!("/e/{id}?tab={tab}"));
    let others = [
        "/".to_owned(),
        "/p/ada/mnist".to_owned(),
        "/p/ada/mnist?view=charts".to_owned(),
        format!("/compare?ids={id},{id}"),
    ];
    let mut browser = site.open("/");
    for page in pages.iter().chain(&others) {
        browser.go(&site.url(page));
        // Whatever comes late has come.
        browser.value("new Promise((done) => setTimeout(done, 700))");
        assert_eq!(browser.value("window.taken ?? null"), serde_json::Value::Null, "{page}");
        let strange = "document.querySelectorAll('main script, main img[src=\"x\"], header img[src=\"x\"]').length";
        assert_eq!(browser.value(strange), 0, "{page}");
    }
}
