//! The table of the experiments of a project.

use serde_json::json;

use crate::{browser::Browser, site::Site};

/// Experiments that have ended, the newest of which is `name 0`: of odd ones the learning rate is 0.1, of even ones 0.2.
fn logged(site: &Site, count: u32) {
    let session = site.session();
    for number in (0..count).rev() {
        let rate = if number % 2 == 1 { 0.1 } else { 0.2 };
        let params = json!({"learning_rate": rate, "epochs": 5});
        let tags = (number == 0).then_some("baseline");
        let experiment = session.experiment().without_console().without_hardware().name(format!("name {number}"));
        let experiment = experiment.params(&params).tags(tags).start().unwrap();
        experiment.log_metric("loss", f64::from(number));
        experiment.stop().unwrap();
    }
}

/// Waits until the rows on the screen have these texts in a column, which is named by the label at its head.
fn wait_for_column(browser: &mut Browser, label: &str, cells: &[&str]) {
    let (label, cells) = (json!(label), json!(cells));
    browser.wait_for(&format!(
        "(() => {{ const at = [...document.querySelectorAll('.runs th')].findIndex((it) => it.textContent.trim().startsWith({label}));
            const rows = [...document.querySelectorAll('.runs tbody tr[aria-rowindex]')];
            return JSON.stringify(rows.map((row) => row.children[at]?.textContent)) === JSON.stringify({cells}); }})()"
    ));
}

const TABLE: &str = "/p/ada/mnist?view=table";

#[test]
fn an_experiment_that_runs_appears_and_moves_while_focus_and_place_stay() {
    let site = Site::new();
    logged(&site, 60);
    let mut browser = site.open(TABLE);
    browser.wait_for_text(".count", "60 experiments");
    browser.value("document.querySelector('.runs').scrollTop = 600");
    browser.wait_for("document.querySelector('.runs tbody tr[aria-rowindex=\"30\"] a')");
    browser.value("window.row = document.querySelector('.runs tbody tr[aria-rowindex=\"30\"]'); window.row.querySelector('td.name a').focus()");
    let place = "Math.round(window.row.getBoundingClientRect().top)";
    let before = browser.value(place);
    let experiment = site.experiment();
    experiment.log_metric("loss", 0.5);
    browser.wait_for_text(".count", "61 experiments");
    browser.wait_for("window.row.getAttribute('aria-rowindex') === '31'");
    let scrolled =
        browser.value("[document.querySelector('.runs').scrollTop, document.querySelector('.runs').clientHeight]");
    assert_eq!(browser.value(place), before, "the rows on the screen moved; scrolled to {scrolled}");
    assert_eq!(browser.value("window.row.contains(document.activeElement)"), true, "the focus was lost");
    browser.value("document.querySelector('.runs').scrollTop = 0");
    browser.wait_for_text(".runs td .state", "running");
    experiment.log_metric("loss", 0.25);
    browser.wait_for_text(".runs td.number", "0.25");
    experiment.stop().unwrap();
    browser.wait_for("![...document.querySelectorAll('.runs .state')].some((it) => it.textContent === 'running')");
}

#[test]
fn words_and_queries_filter_and_what_is_wrong_with_a_query_is_told() {
    let site = Site::new();
    logged(&site, 12);
    let mut browser = site.open(TABLE);
    browser.wait_for_text(".count", "12 experiments");
    let ask = |browser: &mut Browser, text: &str, told: &str| {
        browser.press("/");
        browser.type_text(text);
        browser.press("Enter");
        browser.press("Escape");
        browser.wait_for_text(".count", told);
    };
    ask(&mut browser, "\"NAME 7\"", "1 experiment");
    wait_for_column(&mut browser, "name", &["name 7"]);
    ask(&mut browser, "name mni-3", "1 experiment");
    ask(&mut browser, "baseline", "1 experiment");
    wait_for_column(&mut browser, "name", &["name 0"]);
    ask(&mut browser, "learning_rate > 0.15", "6 experiments");
    ask(&mut browser, "loss < 3 AND sys/tags CONTAINS baseline", "1 experiment");
    wait_for_column(&mut browser, "loss", &["0"]);
    browser.press("/");
    browser.type_text("loss <");
    browser.press("Enter");
    browser.wait_for_text(".query .error", "expected a value");
    let wrong = browser.take_wrong();
    assert!(wrong.iter().all(|it| it.contains("status of 400")), "{wrong:?}");
    wait_for_column(&mut browser, "loss", &["0"]);
    browser.press("Escape");
    ask(&mut browser, "nowhere", "0 experiments");
    browser.wait_for_text(".empty", "Nothing matches");
    browser.click(".nothing button");
    browser.wait_for_text(".count", "12 experiments");
    assert_eq!(browser.value("location.search.includes('q=')"), false);
}

#[test]
fn a_click_sorts_and_columns_that_are_the_same_are_left_out() {
    let site = Site::new();
    logged(&site, 4);
    let mut browser = site.open(TABLE);
    browser.wait_for_text(".runs th", "learning_rate");
    browser.wait_for_text(".runs th", "loss");
    assert!(!browser.text().contains("epochs"), "a parameter that is the same everywhere is proposed");
    browser.value(
        "[...document.querySelectorAll('.runs th button')].find((it) => it.textContent.startsWith('loss')).click()",
    );
    browser.wait_for("document.querySelector('th[aria-sort=ascending]')?.textContent.startsWith('loss')");
    wait_for_column(&mut browser, "loss", &["0", "1", "2", "3"]);
    browser.value("[...document.querySelectorAll('.runs th button')].find((it) => it.textContent.startsWith('learning_rate')).dispatchEvent(new MouseEvent('click', {bubbles: true, shiftKey: true}))");
    browser.value(
        "[...document.querySelectorAll('.runs th button')].find((it) => it.textContent.startsWith('loss')).click()",
    );
    browser.wait_for("document.querySelector('th[aria-sort=descending]')?.textContent.startsWith('loss')");
    browser.wait_for("[...document.querySelectorAll('.runs td.name')].map((it) => it.textContent).join() === 'name 3,name 2,name 1,name 0'");
    browser.value(
        "[...document.querySelectorAll('button')].find((it) => it.textContent === 'Only columns that differ').click()",
    );
    browser.wait_for("![...document.querySelectorAll('.runs th')].some((it) => it.textContent === 'owner')");
    browser.wait_for_text(".runs th", "loss");
}

/// Chooses how the numbers of a column are written.
fn write_as(browser: &mut Browser, label: &str, style: &str) {
    browser.wait_for(&format!("document.querySelector('.runs th select[aria-label=\"How {label} is written\"]')"));
    browser.value(&format!(
        "(() => {{ const menu = document.querySelector('.runs th select[aria-label=\"How {label} is written\"]');
            menu.focus(); menu.value = '{style}'; menu.dispatchEvent(new Event('change')); }})()"
    ));
}

#[test]
fn the_numbers_of_a_column_are_written_as_somebody_chose_and_the_address_keeps_it() {
    let site = Site::new();
    let session = site.session();
    for loss in [0.000_012_34, -1234.2, 98_765_432.1, f64::NAN, 0.0] {
        let experiment = session.experiment().without_console().without_hardware().start().unwrap();
        experiment.series::<f64>("logs/loss").unwrap().append(loss);
        experiment.log_metric("rate", 0.5);
        experiment.stop().unwrap();
    }
    let mut browser = site.open(TABLE);
    wait_for_column(&mut browser, "loss", &["0", "NaN", "9.877e7", "-1234.2", "1.234e-5"]);
    for (style, cells) in [
        (".2", ["0.00", "NaN", "98765432.10", "-1234.20", "0.00"]),
        ("percent", ["0.00 %", "NaN", "9876543210.00 %", "-123420.00 %", "0.00 %"]),
        ("scientific", ["0.000e+0", "NaN", "9.877e+7", "-1.234e+3", "1.234e-5"]),
        ("si", ["0", "NaN", "98.77M", "-1.234k", "12.34\u{b5}"]),
        ("duration", ["0 ns", "NaN", "1143d 2h", "-20m 34s", "12.3 us"]),
    ] {
        write_as(&mut browser, "loss", style);
        wait_for_column(&mut browser, "loss", &cells);
    }
    assert_eq!(browser.value("document.activeElement.ariaLabel"), "How loss is written", "the focus was lost");
    write_as(&mut browser, "rate", ".4");
    wait_for_column(&mut browser, "rate", &["0.5000"; 5]);
    let address = browser.value("location.href").as_str().unwrap().to_owned();
    browser.go(&address);
    wait_for_column(&mut browser, "loss", &["0 ns", "NaN", "1143d 2h", "-20m 34s", "12.3 us"]);
    wait_for_column(&mut browser, "rate", &["0.5000"; 5]);
    write_as(&mut browser, "loss", "");
    wait_for_column(&mut browser, "loss", &["0", "NaN", "9.877e7", "-1234.2", "1.234e-5"]);
    assert_eq!(browser.value("document.querySelector('.runs td.number[title=\"98765432.1\"]') !== null"), true);
}

#[test]
fn a_metric_is_a_line_in_its_cell_where_somebody_chose_that() {
    let site = Site::new();
    let session = site.session();
    let start = || session.experiment().without_console().without_hardware().start().unwrap();
    for _ in 0..2 {
        let experiment = start();
        for step in 0..1_000 {
            experiment.log_metric_at("loss", step, f64::from(step % 100));
        }
        experiment.stop().unwrap();
    }
    let running = start();
    running.log_metric_at("loss", 0, 1.0);
    let mut browser = site.open(TABLE);
    wait_for_column(&mut browser, "loss", &["1", "99", "99"]);
    assert!(!browser.requests().iter().any(|url| url.contains("/overviews")), "lines are asked for that nobody wants");
    write_as(&mut browser, "loss", "line");
    browser.wait_for("document.querySelectorAll('.runs td.number .sparkline polyline').length === 3");
    let points = "document.querySelector('.runs tbody tr[aria-rowindex=\"2\"] polyline').getAttribute('points').split(' ').length";
    let before = browser.value(points);
    let asked = |browser: &Browser| browser.requests().iter().filter(|url| url.contains("/overviews")).count();
    assert_eq!(asked(&browser), 1, "one request is for all rows");
    running.log_metric_at("loss", 1, 2.0);
    browser.wait_for(&format!("{points} > {before}"));
    assert_eq!(browser.value("document.querySelector('.runs td:has(.sparkline)').title"), "2");
    running.stop().unwrap();
    write_as(&mut browser, "loss", "");
    wait_for_column(&mut browser, "loss", &["2", "99", "99"]);
}

#[test]
fn a_metric_has_columns_of_its_least_and_greatest_value_and_of_their_steps() {
    let site = Site::new();
    let session = site.session();
    for values in [[5.0, 1.0, 3.0], [4.0, 9.0, 2.0]] {
        let experiment = session.experiment().without_console().without_hardware().start().unwrap();
        for (step, value) in (10..).zip(values) {
            experiment.log_metric_at("loss", step, value);
        }
        experiment.stop().unwrap();
    }
    let mut browser = site.open(TABLE);
    wait_for_column(&mut browser, "loss", &["2", "3"]);
    browser.value("[...document.querySelectorAll('.above button')].find((it) => it.textContent === 'Columns').click()");
    for figure in ["min", "max", "argmin", "argmax"] {
        browser.click(&format!("dialog [data-column='{figure}(logs/loss)']"));
        browser.wait_for(&format!(
            "document.activeElement.matches('[data-column=\"{figure}(logs/loss)\"][aria-pressed=true]')"
        ));
    }
    browser.press("Escape");
    let columns = [
        ("min(loss)", ["2", "1"]),
        ("max(loss)", ["9", "5"]),
        ("argmin(loss)", ["12", "11"]),
        ("argmax(loss)", ["11", "10"]),
    ];
    for (label, cells) in &columns {
        wait_for_column(&mut browser, label, cells);
    }
    let sort = "[...document.querySelectorAll('.runs th button')].find((it) => it.textContent === 'LABEL').click()";
    browser.value(&sort.replace("LABEL", "argmin(loss)"));
    browser.value(&sort.replace("LABEL", "min(loss)"));
    wait_for_column(&mut browser, "min(loss)", &["1", "2"]);
    assert_eq!(browser.value("new URLSearchParams(location.search).get('sort')"), "min(logs/loss)");
    browser.value("[...document.querySelectorAll('.above button')].find((it) => it.textContent === 'Columns').click()");
    browser.click("dialog [data-column='max(logs/loss)']");
    browser
        .wait_for("![...document.querySelectorAll('.runs th')].some((it) => it.textContent.startsWith('max(loss)'))");
}

#[test]
fn the_keyboard_goes_chooses_and_opens_and_the_address_keeps_it() {
    let site = Site::new();
    logged(&site, 8);
    let mut browser = site.open("/p/ada/mnist");
    browser.wait_for("document.querySelectorAll('.runs .eye[aria-pressed=true]').length === 5");
    for key in ["j", "j", "j", "k", "x"] {
        browser.press(key);
    }
    browser.wait_for("document.querySelectorAll('.runs td .eye[aria-pressed=true]').length === 4");
    assert_eq!(browser.value("document.querySelector('.runs tr.at td.name').textContent"), "name 1");
    assert_eq!(browser.value("document.querySelector('.runs tr.at .eye').getAttribute('aria-pressed')"), "false");
    browser.press("1");
    browser.wait_for("document.querySelector('.split .right').hidden");
    let address = browser.value("location.href").as_str().unwrap().to_owned();
    browser.go(&address);
    browser.wait_for("document.querySelectorAll('.runs td .eye[aria-pressed=true]').length === 4 && document.querySelector('.split .right').hidden");
    browser.press("c");
    browser.wait_for("location.pathname === '/compare'");
    browser.wait_for_text(".sides tr.differs", "loss");
    assert!(!browser.text().contains("epochs"), "what is the same is shown");
    browser.press("d");
    browser.wait_for_text(".sides tr", "epochs");
    browser.wait_for_text(".sides .delta", "+");
}

#[test]
fn what_is_in_the_trash_is_restored() {
    let site = Site::new();
    logged(&site, 7);
    let mut browser = site.open(TABLE);
    browser.wait_for_text(".bulk", "5 in the charts");
    let press = |browser: &mut Browser, within: &str, text: &str| {
        browser.value(&format!(
            "[...document.querySelectorAll('{within} button')].find((it) => it.textContent === '{text}').click()"
        ));
    };
    press(&mut browser, ".bulk", "Trash");
    browser.wait_for_text("dialog.ask", "MNI-7, MNI-6");
    press(&mut browser, "dialog", "Trash");
    browser.wait_for_text(".count", "2 experiments");
    press(&mut browser, ".above", "Show trash");
    browser.wait_for_text(".count", "5 experiments in the trash");
    press(&mut browser, ".bulk", "Restore");
    browser.wait_for_text(".empty", "The trash is empty");
    press(&mut browser, ".above", "Show trash");
    browser.wait_for_text(".count", "7 experiments");
}

#[test]
fn what_was_logged_is_text_whatever_is_in_it() {
    let site = Site::new();
    let hostile = "<img src=x onerror=\"window.hurt = 1\"><script>window.hurt = 1</script>";
    let params = json!({hostile.replace('/', "|"): hostile});
    let experiment =
        site.session().experiment().without_console().without_hardware().name(hostile).tags([hostile]).params(&params);
    experiment.start().unwrap().stop().unwrap();
    let mut browser = site.open("/p/ada/mnist");
    browser.wait_for_text(".runs td.name", "<img src=x");
    browser.wait_for_text(".runs td .tag", "<img src=x");
    assert_eq!(browser.value("document.querySelectorAll('.runs img, .runs script').length"), 0);
    assert_eq!(browser.value("window.hurt ?? null"), json!(null));
}
