//! The page of one experiment.

use neptune_core::{AtomValue, Histogram, Image};
use serde_json::json;

use crate::{browser::Browser, site::Site};

/// A drawing that would mark the page if anything in it ran.
const DRAWING: &str = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9' onload='parent.ran=1'>\
                       <script>parent.ran=1;top.ran=1</script><rect width='9' height='9'/></svg>";

const HOSTILE: &str = "<img src=x onerror='ran=1'><script>ran=1</script>";

const ROWS: &str = "[...document.querySelectorAll('table.metrics tbody tr')].map((row) => row.lastChild.textContent)";

fn choose(browser: &mut Browser, tab: &str) {
    browser.click(&format!(".tabs [data-tab={tab}]"));
    browser.wait_for(&format!("document.querySelector('.tab')?.dataset.tab === '{tab}'"));
}

#[test]
fn what_is_logged_appears_on_the_tab_that_is_shown_without_a_reload() {
    let site = Site::new();
    let experiment = site.experiment();
    experiment.log_metric_at("loss", 0, 1.0);
    let mut browser = site.open("/e/latest");
    browser.wait_for(&format!("String({ROWS}) === '1'"));
    browser.value("window.row = document.querySelector('table.metrics tbody tr')");
    experiment.log_metric_at("loss", 1, 0.5);
    browser.wait_for(&format!("String({ROWS}) === '2'"));
    assert_eq!(browser.value("row.isConnected"), true, "the row that somebody looks at is another one now");

    choose(&mut browser, "images");
    browser.wait_for_text(".empty", "No images were logged yet");
    for step in 0..3 {
        let name = format!("at {step}");
        let image = Image::encoded(DRAWING).unwrap().name(name).description("what it sees");
        experiment.log_image_at("samples", step, image);
        experiment.log_histogram_at("weights", step, &Histogram::of([0.0, 0.5, 1.0], 2));
    }
    browser.wait_for_text("output", "2 (3 of 3)");
    browser.wait_for("document.querySelector('.images img').naturalWidth === 9");
    browser.press("ArrowLeft");
    browser.wait_for_text("output", "1 (2 of 3)");
    browser.wait_for_text("figcaption .about", "at 1\nwhat it sees");
    experiment.log_image_at("samples", 3, Image::encoded(DRAWING).unwrap());
    browser.wait_for_text("output", "1 (2 of 4)");
    assert_eq!(browser.value("document.querySelectorAll('.images rect').length"), 2);

    choose(&mut browser, "console");
    browser.wait_for_text(".empty", "Nothing was written yet");
    let lines = experiment.series::<String>("monitoring/0a1b2c3d/stdout").unwrap();
    lines.append("\u{1b}[31mepoch\u{1b}[0m 1");
    browser.wait_for_text(".console .row pre", "epoch 1");
    assert_eq!(browser.value("document.querySelector('.console .row pre span').style.color"), "var(--ansi-1)");
    for epoch in 2..300 {
        lines.append(format!("epoch {epoch}"));
    }
    browser.wait_for_text(".console .row pre", "epoch 299");
    let body = "document.querySelector('.console')";
    browser.wait_for(&format!("{body}.scrollTop + {body}.clientHeight > {body}.scrollHeight - 5"));
    browser.value(&format!("{body}.scrollTop = 700"));
    lines.append("epoch 300");
    browser.wait_for_text(".console .row pre", "epoch 300");
    assert_eq!(browser.value(&format!("{body}.scrollTop")), 700, "what somebody reads moved");
    browser.click(".follow");
    browser.wait_for(&format!("{body}.scrollTop > 1000"));
    browser.value("document.querySelector('.tab input').focus()");
    browser.type_text("CH 29");
    browser.wait_for("document.querySelectorAll('.console mark').length === 11");

    choose(&mut browser, "timings");
    browser.wait_for_text(".empty", "No spans were timed yet");
    for (name, seconds) in [("count", 4.0), ("total", 2.0), ("mean", 0.5)] {
        experiment.series::<f64>(&format!("timing/step/{name}")).unwrap().append(seconds);
        experiment.series::<f64>(&format!("timing/step/forward/{name}")).unwrap().append(seconds / 2.0);
    }
    browser.wait_for_text(".timings tbody tr:nth-child(2)", "50 %");
    experiment.stop().unwrap();
    browser.wait_for_text(".state", "succeeded");
}

#[test]
fn name_tags_and_notes_are_edited_in_place() {
    let site = Site::new();
    let experiment = site.experiment();
    experiment.add_tags(["cnn"]);
    let mut browser = site.open("/e/latest");
    browser.click("[aria-label='edit the name']");
    browser.type_text("second try");
    browser.press("Enter");
    browser.wait_for_text("h1", "second try");
    browser.click("[aria-label='add a tag']");
    browser.type_text("baseline");
    browser.press("Enter");
    browser.wait_for_text(".tag", "baseline");
    browser.click("[aria-label='remove the tag cnn']");
    browser.wait_for("document.querySelectorAll('.tag').length === 1");
    browser.click("[aria-label='edit the notes']");
    browser.type_text("a first line\nand a second");
    experiment.log_metric("loss", 1.0);
    browser.wait_for(&format!("{ROWS}.length === 1"));
    assert_eq!(browser.value("document.querySelector('textarea').value"), "a first line\nand a second");
    browser.click(".overview button.main");
    browser.wait_for_text(".notes", "and a second");
    let id = experiment.id().to_string();
    experiment.stop().unwrap();
    let stored = site.session().get(&id).unwrap();
    let properties = stored.system_properties().unwrap();
    assert_eq!(properties.name.as_deref(), Some("second try"));
    assert_eq!(properties.tags, ["baseline"]);
    assert_eq!(properties.description.as_deref(), Some("a first line\nand a second"));
}

#[test]
fn archives_are_offered_once_there_are_files() {
    let site = Site::new();
    let experiment = site.experiment();
    let mut browser = site.open("/e/latest?tab=console");
    browser.wait_for_text(".buttons button", "trash");
    let offered = "[...document.querySelectorAll('.buttons a')].map((it) => it.textContent.trim()).join()";
    assert_eq!(browser.value(offered), "");
    experiment.log_artifact("a".as_bytes(), Some("a.txt")).unwrap();
    browser.wait_for(&format!("{offered} === '\u{2193} artifacts'"));
    experiment.stop().unwrap();
}

#[test]
fn a_line_that_was_searched_is_seen_among_those_around_it() {
    let site = Site::new();
    let experiment = site.experiment();
    let [out, err] =
        ["stdout", "stderr"].map(|it| experiment.series::<String>(&format!("monitoring/0a1b2c3d/{it}")).unwrap());
    for number in 0..2_000 {
        out.append(format!("line {number}{}", if number % 900 == 450 { " needle" } else { "" }));
    }
    err.append("a warning");
    let mut browser = site.open("/e/latest?tab=console&search=needle");
    browser.wait_for("document.querySelectorAll('.console a').length === 2");
    browser.click(".console a");
    browser.wait_for_text(".console [aria-current] pre", "line 450 needle");
    let texts = "[...document.querySelectorAll('.console pre')].map((it) => it.textContent)";
    browser.wait_for(&format!("{texts}.includes('line 449') && {texts}.includes('line 451')"));
    let seen = "(() => { const [row, all] = ['.console [aria-current]', '.console'].map((it) => document.querySelector(it).getBoundingClientRect());
        return row.top >= all.top && row.bottom <= all.bottom; })()";
    browser.wait_for(seen);
    assert_eq!(browser.value("document.querySelector('input[type=search]').value"), "");
    assert_eq!(browser.value(&format!("{texts}.includes('line 1999')")), false, "all lines were loaded");
    // What comes moves nothing, and what is behind comes when it is scrolled to.
    let scrolled = browser.value("document.querySelector('.console').scrollTop");
    out.append("line 2000");
    for tag in ["later", "and later"] {
        experiment.add_tags([tag]);
        browser.wait_for_text(".tag", tag);
    }
    assert_eq!(browser.value(&format!("{texts}.includes('line 1999')")), false, "all lines were loaded");
    assert_eq!(browser.value("document.querySelector('.console').scrollTop"), scrolled);
    browser
        .wait_for(&format!("(document.querySelector('.console').scrollTop = 1e6) && {texts}.at(-1) === 'line 2000'"));
    let lines: Vec<String> = serde_json::from_value(browser.value(texts)).unwrap();
    let after = lines.iter().skip_while(|line| *line != "line 450 needle").filter(|line| line.starts_with("line "));
    assert_eq!(after.count(), 2_001 - 450);
    out.append("line 2001");
    browser.wait_for_text(".console pre", "line 2001");
    let address = browser.value("location.href").as_str().unwrap().to_owned();
    browser.go(&address);
    browser.wait_for_text(".console [aria-current] pre", "line 450 needle");
    browser.click(".follow");
    browser.wait_for(&format!("{texts}.at(-1) === 'line 2001' && !location.search.includes('line')"));
    browser.value("history.back()");
    browser.wait_for("document.querySelectorAll('.console a').length === 2");
    experiment.stop().unwrap();
}

#[test]
fn a_running_experiment_is_aborted_after_a_question_and_goes_into_the_trash_and_back() {
    let site = Site::new();
    let experiment = site.experiment();
    let mut browser = site.open("/e/latest");
    browser.click(".danger");
    browser.type_text("it diverges");
    browser.click("dialog.ask button.main");
    browser.wait_for_text("#notices", "1 process was asked to end");
    let asked = (0..1000).find_map(|_| {
        browser.value("new Promise((done) => setTimeout(done, 20))");
        experiment.abort_requested()
    });
    let reason = asked.unwrap();
    assert_eq!(reason, "it diverges");
    experiment.abort(reason).unwrap();
    browser.wait_for_text(".failure", "it diverges");
    browser.wait_for_text(".state", "aborted");
    browser.value("[...document.querySelectorAll('.buttons button')].find((it) => it.textContent === 'trash').click()");
    browser.wait_for_text(".banner:not([hidden])", "is in the trash");
    browser.click(".banner button");
    browser.wait_for("document.querySelector('.banner').hidden");
}

#[test]
fn what_was_logged_never_becomes_part_of_the_page() {
    let site = Site::new();
    let session = site.session();
    let builder = session.experiment().name(HOSTILE).description(HOSTILE).tags([HOSTILE]).property("danger", HOSTILE);
    let experiment = builder.without_console().without_hardware().start().unwrap();
    experiment.atom("big").assign(HOSTILE.repeat((1 << 20) / HOSTILE.len()));
    experiment.atom("document").assign(AtomValue::Json(json!({ "a": HOSTILE }).to_string()));
    experiment.log_text("said", format!("\u{1b}]0;{HOSTILE}\u{7}\u{1b}[31m{HOSTILE}\u{1b}[2J"));
    experiment.series::<String>("monitoring/0a1b2c3d/stderr").unwrap().append(HOSTILE);
    experiment.log_image("drawing", Image::encoded(DRAWING).unwrap().name(HOSTILE).description(HOSTILE));
    experiment.log_artifact(DRAWING.as_bytes(), Some("drawing.svg")).unwrap();
    experiment.log_artifact(HOSTILE.as_bytes(), Some("page.html")).unwrap();
    experiment.fail(HOSTILE).unwrap();
    let mut browser = site.open("/e/latest");
    browser.wait_for_text(".failure", HOSTILE);
    let addresses = [
        "tab=variables&path=big",
        "tab=variables&path=document",
        "tab=variables&path=logs/said",
        "tab=images",
        "tab=console",
        "tab=artifacts&file=artifacts/drawing.svg",
        "tab=artifacts&file=artifacts/page.html",
        "tab=artifacts&file=artifacts/page.html&as=source",
        "tab=code",
    ];
    for address in addresses {
        browser.go(&site.url(&format!("/e/latest?{address}")));
        browser.wait_for("document.querySelector('.tab[data-tab] .inside')");
        browser.wait_for("![...document.images].some((image) => !image.complete)");
        let what = "[window.ran, document.querySelectorAll('main script, main [onerror], main [src=x]').length]";
        let what = browser.value(what);
        assert_eq!(what, json!([null, 0]), "{address}");
    }
    browser.go(&site.url("/e/latest?tab=artifacts&file=artifacts/page.html&as=source"));
    browser.wait_for_text(".content pre", HOSTILE);
    browser.go(&site.url("/e/latest?tab=variables&path=logs/said"));
    browser.wait_for_text(".detail pre span", HOSTILE);
    // The browser tells what it kept the page of HTML from, when it comes to that.
    for told in browser.take_wrong() {
        let is_kept_from = told.contains("sandboxed") || told.contains("Content Security Policy");
        assert!(told.contains("page.html") && is_kept_from, "{told}");
    }
}

#[test]
fn of_ten_thousand_series_only_the_rows_in_sight_are_elements() {
    let site = Site::new();
    let experiment = site.experiment();
    for series in 0..10_000 {
        experiment.log_metric_at(&format!("layer_{:02}/weight_{:03}", series / 1000, series % 1000), 0, series);
    }
    experiment.stop().unwrap();
    let mut browser = site.open("/e/latest?tab=variables&all=open");
    browser.wait_for_text(".variables td", "layer_00/");
    browser.value("document.querySelector('.scrolled').scrollTop = 150000");
    browser.wait_for_text(".variables td", "weight_550");
    let rows = "document.querySelectorAll('.variables tbody tr').length";
    browser.wait_for(&format!("{rows} > 10 && {rows} < 100"));
    browser.press("/");
    browser.type_text("layer_07 998");
    browser.wait_for(&format!("{rows} < 10"));
    browser.click(".variables tbody tr:nth-child(4)");
    browser.wait_for_text(".detail h2", "logs/layer_07/weight_998");
    browser.go(&site.url("/e/latest"));
    browser.wait_for(&format!("{ROWS}.length > 10"));
}

#[test]
fn a_tab_without_content_says_what_fills_it_and_the_keys_go_from_one_to_the_next() {
    let site = Site::new();
    site.experiment().stop().unwrap();
    let mut browser = site.open("/e/latest");
    browser.wait_for_text(".overview", "No numbers were logged yet");
    let says = [
        ("2", "charts", "Each series of numbers becomes a chart"),
        ("3", "images", "experiment.log_image"),
        ("4", "console", "without_console"),
        ("6", "timings", "neptune_tracing::layer"),
        ("7", "hardware", "Processor, memory, disks"),
        ("8", "artifacts", "experiment.log_artifact"),
        ("9", "code", "No code was recorded"),
    ];
    for (key, tab, text) in says {
        browser.press(key);
        browser.wait_for(&format!("new URLSearchParams(location.search).get('tab') === '{tab}'"));
        browser.wait_for_text(".inside", text);
    }
    browser.value("history.back()");
    browser.wait_for("document.querySelector('.tab').dataset.tab === 'artifacts'");
}
