//! Many experiments in one picture: parallel coordinates and the scatter plot.

use serde_json::{Value, json};

use crate::{browser::Browser, site::Site};

/// Twelve experiments: `depth` is 0 to 11, `loss` grows with it, `kind` is a for the first half and b for the other; the last has
/// neither `kind` nor a finite loss, and `width` is the same everywhere.
fn twelve() -> Site {
    let site = Site::new();
    let session = site.session();
    for depth in 0..12 {
        let mut params = json!({"depth": depth, "width": 64});
        if depth < 11 {
            params["kind"] = json!(if depth < 6 { "a" } else { "b" });
        }
        let experiment = session.experiment().without_console().without_hardware().name(format!("depth {depth}"));
        let experiment = experiment.params(&params).start().unwrap();
        let loss = experiment.series::<f64>("logs/loss").unwrap();
        loss.append_at(0, 100.0);
        loss.append_at(1, if depth < 11 { f64::from(depth) + 1.0 } else { f64::NAN });
        experiment.stop().unwrap();
    }
    site
}

fn address(view: &str) -> String {
    let ids = (1..=12).map(|number| format!("MNI-{number}")).collect::<Vec<_>>().join(",");
    format!("/compare?ids={ids}{view}")
}

/// Where an axis and a share of its height, from its top, are in the picture, as shares of both sides.
fn at(browser: &mut Browser, label: &str, share: f64) -> (f64, f64) {
    let label = json!(label);
    let place = browser.value(&format!(
        "(() => {{ const head = [...document.querySelectorAll('.heads .head')].find((it) => it.firstChild.textContent === {label}).getBoundingClientRect();
            const plot = document.querySelector('.many .plot').getBoundingClientRect();
            const bottom = plot.height - 14 - 48;
            return [(head.x + head.width / 2 - plot.x) / plot.width, (10 + (bottom - 10) * {share}) / plot.height]; }})()"
    ));
    (place[0].as_f64().unwrap(), place[1].as_f64().unwrap())
}

fn brush(browser: &mut Browser, label: &str, from: f64, to: f64) {
    let (from, to) = (at(browser, label, from), at(browser, label, to));
    browser.drag(".many .plot", from, to);
}

fn heads(labels: &str) -> String {
    format!("[...document.querySelectorAll('.heads .name')].map((it) => it.textContent).join() === '{labels}'")
}

fn press_button(browser: &mut Browser, within: &str, text: &str) {
    let button = format!("[...document.querySelectorAll('{within} button')].find((it) => it.textContent === '{text}')");
    browser.wait_for(&button);
    browser.value(&format!("{button}.click()"));
}

/// What is drawn of the lower of two canvases, as text that differs where it does.
fn drawn(browser: &mut Browser) -> Value {
    browser.value("document.querySelector('.many canvas').toDataURL()")
}

/// A part of the address.
fn state(browser: &mut Browser, key: &str) -> Value {
    browser.value(&format!("new URLSearchParams(location.search).get('{key}')"))
}

const TOLD: &str = ".compare .above [role=status]";

#[test]
fn what_is_brushed_is_kept_and_the_address_restores_it() {
    let site = twelve();
    let mut browser = site.open(&address("&view=parallel"));
    browser.wait_for(&heads("depth,kind,loss"));
    browser.wait_for_text(TOLD, "12 experiments");
    let all = drawn(&mut browser);
    brush(&mut browser, "depth", 0.5, 1.0);
    browser.wait_for_text(TOLD, "6 of 12 kept by 1 brush");
    browser.wait_for("document.querySelector('.many canvas').toDataURL().length > 0");
    assert_ne!(drawn(&mut browser), all, "the others are drawn as before");
    brush(&mut browser, "loss", 0.0, 0.8);
    browser.wait_for_text(TOLD, "4 of 12 kept by 2 brushes");
    let address = browser.value("location.href");
    browser.go(address.as_str().unwrap());
    browser.wait_for_text(TOLD, "4 of 12 kept by 2 brushes");
    let (x, y) = at(&mut browser, "loss", 0.5);
    browser.value(&format!(
        "(() => {{ const plot = document.querySelector('.many .plot'); const box = plot.getBoundingClientRect();
            plot.dispatchEvent(new MouseEvent('dblclick', {{clientX: box.x + {x} * box.width, clientY: box.y + {y} * box.height}})); }})()"
    ));
    browser.wait_for_text(TOLD, "6 of 12 kept by 1 brush");
    press_button(&mut browser, ".above", "Keep only these");
    browser.wait_for_text(TOLD, "6 experiments");
    assert_eq!(state(&mut browser, "ids"), "MNI-1,MNI-2,MNI-3,MNI-4,MNI-5,MNI-6");
    assert_eq!(state(&mut browser, "brush"), Value::Null);
}

#[test]
fn what_is_missing_or_not_finite_has_a_place_below_the_axis() {
    let site = twelve();
    let brush = r#"[["parameters/kind",null,null,"none"]]"#;
    let mut browser = site.open(&address(&format!("&view=parallel&brush={}", brush.replace('"', "%22"))));
    browser.wait_for_text(TOLD, "1 of 12 kept by 1 brush");
    // From the end of the axis down to the second place below it.
    self::brush(&mut browser, "loss", 0.98, 1.08);
    browser.wait_for("new URLSearchParams(location.search).get('brush').includes('odd')");
    browser.wait_for_text(TOLD, "1 of 12 kept by 2 brushes");
    browser.value("document.querySelector('.listed').open = true");
    browser.wait_for("document.querySelectorAll('.listed tbody tr').length === 1");
    let row = browser.value("document.querySelector('.listed tbody tr').innerText");
    assert!(row.as_str().unwrap().contains("none") && row.as_str().unwrap().contains("NaN"), "{row}");
    let below = "Promise.all([import('/ui/compare-axes.js'), import('/ui/compare-parallel-draw.js')]).then(([axes, drawing]) => {
        const axis = axes.axisOf('a', [1, null, {float: 'NaN'}, 2]);
        const { ys, bottom } = drawing.layout([axis, axis], 500, 300);
        return [...ys[0]].map((y) => (y > bottom ? 'below' : 'on')).join() + (ys[0][1] === ys[0][2]); })";
    assert_eq!(browser.value(below), "on,below,below,onfalse");
}

#[test]
fn axes_are_moved_chosen_and_made_logarithmic() {
    let site = twelve();
    let mut browser = site.open(&address("&view=parallel"));
    browser.wait_for(&heads("depth,kind,loss"));
    let (to, _) = at(&mut browser, "depth", 0.0);
    let (from, _) = at(&mut browser, "loss", 0.0);
    // The heads stand above the picture, which is as wide.
    browser.drag(".heads", (from, 0.25), (to, 0.25));
    browser.wait_for(&heads("loss,depth,kind"));
    assert_eq!(state(&mut browser, "axes"), "logs/loss,parameters/depth,parameters/kind");
    let linear = drawn(&mut browser);
    browser.click(".heads .head[data-column='logs/loss'] .log");
    browser.wait_for("new URLSearchParams(location.search).get('log') === 'logs/loss'");
    browser.wait_for("document.querySelector('.heads .log[aria-pressed=true]')");
    assert_ne!(drawn(&mut browser), linear);
    assert_eq!(
        browser.value("document.querySelector('.head[data-column=\"parameters/depth\"] .log').hidden"),
        true,
        "there is a zero"
    );
    browser.press("a");
    browser.wait_for("document.querySelector('dialog.columns[open]')");
    browser.type_text("min loss");
    browser.wait_for("document.querySelectorAll('dialog .found input').length === 1");
    browser.click("dialog .found input");
    browser.wait_for_text(".heads .name", "min(loss)");
    press_button(&mut browser, "dialog", "Done");
    let address = browser.value("location.href");
    browser.go(address.as_str().unwrap());
    browser.wait_for(&heads("loss,depth,kind,min(loss)"));
    browser.wait_for("document.querySelector('.heads .log[aria-pressed=true]')");
}

#[test]
fn the_keyboard_goes_through_views_axes_colours_and_experiments() {
    let site = twelve();
    let mut browser = site.open(&address(""));
    browser.wait_for_text(".sides", "depth");
    browser.press("2");
    browser.wait_for(&heads("depth,kind,loss"));
    assert_eq!(state(&mut browser, "view"), "parallel");
    browser.wait_for_text(".above button", "Colour: loss");
    let before = drawn(&mut browser);
    browser.press("c");
    browser.wait_for("document.querySelector('dialog.pick[open]')");
    browser.type_text("kind");
    browser.press("Enter");
    browser.wait_for_text(".above button", "Colour: kind");
    browser.wait_for("document.querySelector('.legend').textContent.includes('ab')");
    assert_eq!(state(&mut browser, "color"), "parameters/kind");
    assert_ne!(drawn(&mut browser), before);
    browser.wait_for("!document.querySelector('dialog')");
    browser.value("document.querySelector('.heads .name').focus()");
    browser.press("Enter");
    browser.wait_for("document.querySelector('dialog.axis[open]')");
    browser.value("document.querySelector('dialog.axis input').focus()");
    browser.type_text("9");
    browser.press("Enter");
    browser.wait_for_text(TOLD, "3 of 12 kept by 1 brush");
    browser.value("document.querySelector('.many .plot').focus()");
    browser.press("ArrowDown");
    browser.wait_for_text(".chart-tip:not([hidden])", "MNI-10");
    browser.press("ArrowDown");
    browser.wait_for_text(".chart-tip:not([hidden])", "depth 10");
    browser.press("Enter");
    browser.wait_for("location.pathname === '/e/MNI-11'");
    assert_eq!(browser.value("document.querySelectorAll('.chart-tip').length"), 0, "what was beside the cursor stayed");
}

#[test]
fn a_line_under_the_mouse_says_whose_it_is_and_a_click_opens_it() {
    let site = twelve();
    let mut browser = site.open(&address("&view=parallel&axes=parameters/depth,parameters/width"));
    browser.wait_for(&heads("depth,width"));
    // Near its axis the line of the greatest is far from the others.
    let (x, y) = (0.25, {
        let (_, top) = at(&mut browser, "depth", 0.04 / 1.08);
        let (_, middle) = at(&mut browser, "depth", 0.5);
        let (left, _) = at(&mut browser, "depth", 0.5);
        let share = (0.25 - left) / (1.0 - 2.0 * left);
        top + (middle - top) * share
    });
    browser.hover(".many .plot", (x, y));
    browser.wait_for_text(".chart-tip:not([hidden])", "MNI-12");
    browser.drag(".many .plot", (x, y), (x, y));
    browser.wait_for("location.pathname === '/e/MNI-12'");
}

#[test]
fn a_scatter_plot_tells_the_rank_correlation_and_of_how_many() {
    let site = twelve();
    let mut browser = site.open(&address("&view=scatter"));
    browser.wait_for_text(TOLD, "Spearman +1.00 of 11 of 12 kept, the others lack x or y: rank correlation, not cause");
    browser.wait_for_text(".scatter aside tr.now", "depth");
    browser.wait_for_text(".scatter aside p", "correlation, not cause");
    let linear = drawn(&mut browser);
    browser.value("document.querySelector('[aria-label=\"y logarithmic\"]').click()");
    browser
        .wait_for("document.querySelector('[aria-label=\"y logarithmic\"]').getAttribute('aria-pressed') === 'true'");
    assert_ne!(drawn(&mut browser), linear);
    browser.press("x");
    browser.wait_for("document.querySelector('dialog.pick[open]')");
    browser.type_text("max loss");
    browser.press("Enter");
    browser.wait_for_text(TOLD, "no rank correlation: one side does not differ");
    let address = browser.value("location.href");
    browser.go(address.as_str().unwrap());
    browser.wait_for_text(".above button", "x: max(loss)");
    browser.wait_for_text(TOLD, "no rank correlation");
    browser.value("document.querySelector('.many .plot').focus()");
    browser.press("ArrowLeft");
    browser.wait_for_text(".chart-tip:not([hidden])", "MNI-11");
    browser.press("Enter");
    browser.wait_for("location.pathname === '/e/MNI-11'");
}

#[test]
fn ranks_are_shared_by_what_is_equal_and_pairs_that_are_not_whole_are_left_out() {
    let site = Site::new();
    let mut browser = site.open("/");
    let mut rho = |one: &str, other: &str| {
        browser.value(&format!(
            "import('/ui/compare-rank.js').then((it) => {{ const {{ rho, count }} = it.spearman({one}, {other}); return [rho === null ? null : Math.round(rho * 1e6) / 1e6, count]; }})"
        ))
    };
    assert_eq!(rho("[1, 2, 3, 4]", "[1, 10, 100, 1000]"), json!([1, 4]));
    assert_eq!(rho("[1, 2, 3, NaN, 4]", "[4, 3, 2, 1, Infinity]"), json!([-1, 3]));
    assert_eq!(rho("[1, 2, 2, 3]", "[1, 3, 2, 4]"), json!([0.948_683, 4]));
    assert_eq!(rho("[1, 1, 1]", "[1, 2, 3]"), json!([null, 3]));
    assert_eq!(rho("[1, 2]", "[1, 2]"), json!([null, 2]));
}

#[test]
fn an_empty_picture_says_what_fills_it() {
    let site = Site::new();
    for _ in 0..2 {
        let experiment = site.session().experiment().without_console().without_hardware().params(&json!({"same": 1}));
        experiment.start().unwrap().stop().unwrap();
    }
    let mut browser = site.open("/compare?view=parallel");
    browser.wait_for_text(".empty", "Nothing is compared");
    browser.go(&site.url("/compare?view=scatter&ids=MNI-1"));
    browser.wait_for_text(".empty", "One experiment has nothing beside it");
    browser.go(&site.url("/compare?view=parallel&ids=MNI-1,MNI-2"));
    browser.wait_for_text(".empty", "Nothing differs");
    browser.press("a");
    browser.wait_for("document.querySelector('dialog .found input')");
    browser.click("dialog .found input");
    browser.wait_for(&heads("same"));
    browser.go(&site.url("/compare?view=scatter&ids=MNI-1,MNI-2"));
    browser.wait_for_text(".empty", "There are no numbers to draw");
}

#[test]
fn what_is_logged_meanwhile_moves_the_lines_and_what_matches_is_compared_from_the_table() {
    let site = twelve();
    let experiment = site.experiment();
    experiment.log_params(&json!({"depth": 50})).unwrap();
    experiment.log_metric_at("loss", 0, 70.0);
    let mut browser = site.open("/p/ada/mnist?view=table");
    browser.wait_for_text(".count", "13 experiments");
    press_button(&mut browser, ".above", "Compare all");
    browser.wait_for("location.pathname === '/compare'");
    browser.wait_for_text(TOLD, "13 experiments");
    browser.value("document.querySelector('.listed').open = true");
    browser.wait_for_text(".listed td", "70");
    experiment.log_metric_at("loss", 1, 72.5);
    browser.wait_for_text(".listed td", "72.5");
    experiment.stop().unwrap();
}

#[test]
fn names_and_values_are_shown_as_text() {
    const MARKUP: &str = "<img src=x onerror=\"window.taken=1\"><script>window.taken=1</script>";
    let site = Site::new();
    let session = site.session();
    for number in 0..3 {
        let params = json!({MARKUP.replace('/', "|"): number, "text,with\"comma": format!("{MARKUP}{number}"), "long": "x".repeat(100_000 + number)});
        let experiment = session.experiment().without_console().without_hardware().name(MARKUP).params(&params);
        let experiment = experiment.start().unwrap();
        experiment.log_metric(MARKUP, f64::from(u32::try_from(number).unwrap()));
        experiment.stop().unwrap();
    }
    let mut browser = site.open("/compare?ids=MNI-1,MNI-2,MNI-3&view=parallel");
    browser.wait_for_text(".heads .name", "<img");
    browser.value("document.querySelector('.listed').open = true");
    browser.wait_for_text(".listed td", "<img");
    browser.value("document.querySelector('.many .plot').focus()");
    browser.press("ArrowDown");
    browser.wait_for_text(".chart-tip:not([hidden])", "<img");
    browser.press("c");
    browser.wait_for_text("dialog.pick", "<img");
    press_button(&mut browser, "dialog.pick", "parameters/text,with\"comma");
    browser.wait_for_text(".legend", "<img");
    browser.press("3");
    browser.wait_for_text(".scatter aside", "<img");
    assert_eq!(browser.value("window.taken ?? null"), Value::Null);
    assert_eq!(browser.value("document.querySelectorAll('main script, main img, .chart-tip img').length"), 0);
}
