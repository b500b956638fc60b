//! Charts of several experiments: means of groups, other axes, averages, and what is far away.

use neptune_core::Experiment;
use serde_json::{Value, json};

use crate::{browser::Browser, site::Site};

const CAPTION: &str = "document.querySelector('.chart .caption')?.textContent ?? ''";

/// Two experiments for each of two rates; the last one ends half way.
fn four() -> Site {
    let site = Site::new();
    for (rate, loss, steps) in [(0.1, 1.0, 100), (0.1, 3.0, 100), (0.5, 5.0, 100), (0.5, 7.0, 50)] {
        let experiment = site.experiment();
        experiment.log_params(&json!({"rate": rate})).unwrap();
        experiment.add_tags(["even"]);
        for step in 0..steps {
            experiment.log_metric_at("loss", step, loss);
        }
        experiment.stop().unwrap();
    }
    site
}

/// What the menu of the first chart saves as CSV, in rows of cells.
fn saved(browser: &mut Browser) -> Vec<Vec<String>> {
    browser.value(
        "window.make ??= URL.createObjectURL; URL.createObjectURL = (blob) => { window.blob = blob; return make.call(URL, blob); };
         [...document.querySelectorAll('.chart .menu button')].find((it) => it.textContent === 'Save as CSV').click()",
    );
    let text = browser.value("window.blob.text()");
    text.as_str().unwrap().lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn a_group_is_drawn_as_its_mean_which_says_how_many_are_in_it() {
    let site = four();
    let mut browser = site.open("/p/ada/mnist?view=charts&group=parameters/rate");
    let legend = "[...document.querySelectorAll('.charts-legend > span')].map((it) => it.textContent).join('; ')";
    browser.wait_for(&format!("{legend} === 'rate=0.1, n=2; rate=0.5, n=2'"));
    browser.wait_for(&format!("({CAPTION}) === 'raw points'"));
    browser.hover(".chart .plot", (0.3, 0.5));
    browser.wait_for_text(".chart-tip", "2 of 2");
    browser.wait_for_text(".chart-tip", "5 .. 7");
    browser.hover(".chart .plot", (0.8, 0.5));
    browser.wait_for_text(".chart-tip", "1 of 2");
    // Others may be chosen for the charts than for the table, and none.
    browser.click(".charts-bar button.group");
    browser.click("dialog.charts-choose input[type=search]");
    browser.type_text("sys/tags");
    browser.click("dialog.charts-choose li input");
    browser.wait_for(&format!("{legend}.includes('tags=even')"));
    assert!(browser.value("location.search").as_str().unwrap().contains("chart-group="), "it is in the address");
    browser.wait_for("[...document.querySelectorAll('dialog.charts-choose button')][0].click() === undefined");
    browser.wait_for(&format!("{legend}.includes('MNI-1') && !{legend}.includes('n=')"));
}

#[test]
fn what_is_saved_of_groups_is_what_is_drawn() {
    let site = four();
    let mut browser = site.open("/p/ada/mnist?view=charts&group=parameters/rate&spread=deviation");
    browser.wait_for(&format!("({CAPTION}) === 'raw points'"));
    browser.wait_for_text(".chart table", "rate=0.5");
    let rows = saved(&mut browser);
    assert_eq!(rows[0].join(","), "group,x,experiments_here,experiments,mean,low,high,smoothed");
    assert_eq!(rows.len(), 201);
    let row = |at: usize| rows[at].iter().rev().take(6).rev().map(String::as_str).collect::<Vec<_>>();
    let width = 2.0_f64.sqrt();
    assert_eq!(row(1)[..4], ["2", "2", "2", &format!("{}", 2.0 - width)]);
    assert_eq!(row(200), ["1", "2", "5", "5", "5", ""]);
}

const LINE: &str = "const numbers = (...values) => Float64Array.from(values);
    const line = (x, y, more = {}) => ({ smooth: null, axis: { x, left: x, right: x }, data: { length: x.length, count: x.map(() => 1),
        nonfinite: x.map(() => 0), positive: x.map(() => 0), negative: x.map(() => 0), mean: y, minimum: y, maximum: y, firstStep: x, lastStep: x, first: y, last: y,
        minimumStep: x, maximumStep: x, ...more } });
    const plain = (values) => [...values].map((value) => Number.isNaN(value) ? 'NaN' : Math.round(value * 1e6) / 1e6);";

#[test]
fn a_mean_goes_straight_between_points_and_not_beyond_the_last() {
    let site = Site::new();
    let mut browser = site.open("/");
    let combined = |browser: &mut Browser, spread: &str, second: &str| -> Value {
        browser.value(&format!(
            "import('/ui/chart-groups.js').then(({{ combined }}) => {{ {LINE}
                const {{ data, axis }} = combined([line(numbers(0, 2, 4), numbers(0, 2, 4)), line({second})], '{spread}');
                return [axis.x, data.mean, data.count, data.minimum, data.maximum].map(plain); }})"
        ))
    };
    let second = "numbers(1, 3), numbers(10, 30)";
    let range = json!([[0, 1, 2, 3, 4], [0, 5.5, 11, 16.5, 4], [1, 2, 2, 2, 1], [0, 1, 2, 3, 4], [0, 10, 20, 30, 4]]);
    assert_eq!(combined(&mut browser, "range", second), range);
    // Half of the difference by the root of two, of which the error is the root of two less.
    let deviation = combined(&mut browser, "deviation", second);
    assert_eq!(deviation[3][1], json!(-0.863_961));
    assert_eq!((&deviation[3][0], &deviation[4][0]), (&json!(0), &json!(0)));
    assert_eq!(combined(&mut browser, "error", second)[3][1], json!(1));
    assert_eq!(combined(&mut browser, "none", second)[4], range[1]);
    // What is no number is in no mean.
    let odd = combined(&mut browser, "range", "numbers(0, 2, 4), numbers(1, NaN, Infinity)");
    assert_eq!((&odd[1], &odd[2]), (&json!([0.5, 2, 4]), &json!([2, 1, 1])));
    // A line that comes back to a place has one value there.
    let folded = combined(&mut browser, "range", "numbers(4, 0, 4), numbers(5, 1, 7)");
    assert_eq!(folded[1], json!([0.5, 2.75, 5]));
    assert_eq!(folded[4], json!([1, 4, 7]));
}

#[test]
fn another_series_gives_the_place_that_it_has_at_the_step() {
    let site = Site::new();
    let mut browser = site.open("/");
    let placed = |browser: &mut Browser, other: &str| -> Value {
        browser.value(&format!(
            "import('/ui/chart-series.js').then(({{ onSeries }}) => {{ {LINE}
                const {{ axis, kept, leftOut }} = onSeries(line(numbers(0, 1, 2, 3, 9), numbers(5, 6, 7, 8, 9)).data, line({other}).data);
                return [plain(axis.x), kept, leftOut, axis.isFolded]; }})"
        ))
    };
    let rising = placed(&mut browser, "numbers(1, 3), numbers(10, 20)");
    assert_eq!(rising, json!([[10, 10, 20, 20], [1, 2, 3, 4], 1, false]));
    let falling = placed(&mut browser, "numbers(0, 2), numbers(4, 3)");
    assert_eq!(falling, json!([[4, 4, 3, 3, 3], [0, 1, 2, 3, 4], 0, true]));
    let windows = browser.value(
        "import('/ui/chart-data.js').then(({ stepsWithin }) => { const x = Float64Array.from([0, 5, 9, 5, 0]), step = Float64Array.from([1, 2, 3, 4, 5]);
            const line = { data: { length: 5, firstStep: step, lastStep: step }, axis: { x, left: x, right: x } };
            return [[4, 6], [4, 10], [20, 30]].map((window) => stepsWithin(line, window).map(({ from, to }) => [from, to])); })",
    );
    assert_eq!(windows, json!([[[2, 2], [4, 4]], [[2, 4]], []]));
}

/// Numbers that look like noise, the same each time.
fn noise() -> impl Iterator<Item = f64> {
    std::iter::successors(Some(1_u32), |seed| Some(seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)))
        .map(|seed| f64::from(seed) / f64::from(u32::MAX))
}

fn open(site: &Site, experiment: &Experiment, query: &str) -> Browser {
    experiment.flush(std::time::Duration::from_mins(1)).unwrap();
    let mut browser = site.open(&format!("/e/{}?tab=charts{query}", experiment.id()));
    browser.wait_for(&format!("({CAPTION}) !== ''"));
    browser
}

#[test]
fn an_average_is_the_same_however_closely_one_looks() {
    let site = Site::new();
    let experiment = site.experiment();
    for (step, value) in (0..10_000).zip(noise()) {
        experiment.log_metric_at("loss", step, value + 1000.0 / f64::from(step + 500));
    }
    let mut browser = open(&site, &experiment, "&smooth=0.98");
    let averages = |browser: &mut Browser| -> Vec<(f64, f64)> {
        let number = |cell: &String| cell.parse().unwrap();
        saved(browser)[1..].iter().map(|row| (number(&row[2]), number(&row[14]))).collect()
    };
    browser.wait_for(&format!("({CAPTION}).includes('points per pixel')"));
    let whole = averages(&mut browser);
    browser.value("document.querySelector('.chart .plot').focus()");
    browser.go(&site.url(&format!("/e/{}?tab=charts&smooth=0.98&zoom=logs/loss~4000~4400~~", experiment.id())));
    browser.wait_for(&format!("({CAPTION}) === 'raw points'"));
    let window = averages(&mut browser);
    assert!(whole.len() < 3000 && window.len() >= 400, "{} {}", whole.len(), window.len());
    let both: Vec<_> = whole
        .iter()
        .filter_map(|(step, wide)| {
            window.iter().find(|(other, _)| (other - step).abs() < 0.5).map(|(_, near)| (step, wide, near))
        })
        .collect();
    assert!(both.len() >= 10, "{}", both.len());
    for (step, wide, near) in both {
        assert!((wide - near).abs() < 0.02, "at {step}: {wide} and {near}");
    }
    experiment.stop().unwrap();
}

#[test]
fn a_zoom_on_epochs_asks_for_the_points_of_its_steps() {
    let site = Site::new();
    let experiment = site.experiment();
    for step in 0..20_000_u32 {
        experiment.log_metric_at("train/loss", step, f64::from(step % 7));
        if step % 200 == 100 {
            experiment.log_metric_at("epoch", step, f64::from(step / 200));
        }
    }
    let mut browser = open(&site, &experiment, "&charts=loss");
    browser.wait_for("document.querySelector('.charts-bar option[value=epoch]')");
    browser.value(
        "(() => { const axis = document.querySelector('.charts-bar select'); axis.value = 'epoch'; axis.dispatchEvent(new Event('change')); })()",
    );
    browser.wait_for(&format!(
        "({CAPTION}).includes('points per pixel') && ({CAPTION}).includes('before the first epoch left out')"
    ));
    assert!(browser.value("location.search").as_str().unwrap().contains("x=epoch"), "the axis is in the address");
    browser.drag(".chart .plot", (0.5, 0.5), (0.53, 0.5));
    browser.wait_for(&format!("({CAPTION}).startsWith('raw points')"));
    let rows = saved(&mut browser);
    let steps: Vec<f64> = rows[1..].iter().map(|row| row[1].parse().unwrap()).collect();
    assert!(
        steps.len() >= 200 && steps.windows(2).all(|pair| (pair[1] - pair[0] - 1.0).abs() < 1e-9),
        "{}",
        steps.len()
    );
    browser.hover(".chart .plot", (0.5, 0.5));
    browser.wait_for_text(".chart-tip strong", "epoch");
    experiment.stop().unwrap();
}

#[test]
fn any_series_is_an_axis_and_is_found_by_a_search() {
    let site = Site::new();
    let experiment = site.experiment();
    for step in 0..10 {
        experiment.log_metric_at("loss", step, f64::from(step));
        experiment.log_metric_at("tokens", step, f64::from(step) * 1000.0);
    }
    let mut browser = open(&site, &experiment, "&charts=loss");
    browser.value(
        "(() => { const axis = document.querySelector('.charts-bar select'); axis.value = '...'; axis.dispatchEvent(new Event('change')); })()",
    );
    browser.click("dialog.charts-choose input[type=search]");
    browser.type_text("tok");
    browser.click("dialog.charts-choose li input");
    browser.wait_for("location.search.includes('tokens') && document.querySelector('dialog') === null");
    browser.wait_for("document.querySelector('.charts-bar select').selectedOptions[0].textContent === 'tokens'");
    browser.wait_for_text(".chart table caption", "by tokens");
    browser.hover(".chart .plot", (0.97, 0.5));
    browser.wait_for_text(".chart-tip strong", "tokens 9000");
    experiment.stop().unwrap();
}

#[test]
fn a_chart_that_is_far_away_lets_go_of_its_data_and_comes_back() {
    let site = Site::new();
    let experiment = site.experiment();
    for chart in 0..30 {
        experiment.log_metric(&format!("a/m{chart:02}"), f64::from(chart));
    }
    let mut browser = open(&site, &experiment, "");
    browser.value("import('/ui/charts-card.js').then(({ away }) => { away.milliseconds = 0; })");
    let canvases = "document.querySelectorAll('.chart-card:first-child canvas').length";
    browser.wait_for(&format!("{canvases} === 2"));
    browser.value("document.querySelector('.chart-card:last-child').scrollIntoView()");
    browser.wait_for(&format!("{canvases} === 0"));
    browser.value("document.querySelector('.chart-card:first-child').scrollIntoView()");
    browser.wait_for(&format!("{canvases} === 2"));
    browser.wait_for(&format!("({CAPTION}) === 'raw points'"));
    experiment.stop().unwrap();
}

#[test]
fn what_has_no_place_in_a_picture_is_told_by_its_name() {
    let site = Site::new();
    let experiment = site.experiment();
    for step in 0..5000_u32 {
        let value = match step {
            1000..1010 => f64::NAN,
            1010 => f64::INFINITY,
            3000 => f64::NEG_INFINITY,
            _ => f64::from(step % 7),
        };
        experiment.series::<f64>("logs/loss").unwrap().append_at(step, value);
    }
    let mut browser = open(&site, &experiment, "&zoom=logs/loss~500~4000~~");
    let rows = saved(&mut browser);
    assert_eq!(rows[0][6..9].join(","), "nan,inf,minus_inf");
    let sum = |at: usize| rows[1..].iter().map(|row| row[at].parse::<u32>().unwrap()).sum::<u32>();
    assert_eq!([6, 7, 8].map(sum), [10, 1, 1]);
    let svg = "Promise.all([import('/ui/chart-draw.js'), import('/ui/chart-svg.js'), import('/ui/chart-axes.js')]).then(([it, { SvgPen }, { scale }]) => {
        const pen = new SvgPen(100, 100), x = Float64Array.from([10, 40, 80]), y = Float64Array.from([NaN, NaN, NaN]);
        const data = { length: 3, count: x, nonfinite: [1, 1, 1], positive: [1, 0, 0], negative: [0, 1, 0], mean: y, minimum: y, maximum: y };
        const plot = { left: 0, right: 100, top: 0, bottom: 100, width: 100, height: 100 };
        const one = { data, axis: { x, left: x, right: x }, extremes: { x, y }, smooth: null, hasBand: false, hasLost: true, style: { color: 'red', dash: [] } };
        it.line(pen, one, { scaleX: scale(0, 100, 0, 100), scaleY: scale(0, 1, 100, 0), plot, density: 1, lines: [one] });
        return pen.text().match(/ d=\"[^\"]*\"/g).join(''); })";
    let marks = browser.value(svg);
    let marks = marks.as_str().unwrap();
    assert!(marks.contains("M5 10L15 10L10 1Z"), "a triangle that points up, at the top: {marks}");
    assert!(marks.contains("M35 90L45 90L40 99Z"), "one that points down, at the bottom: {marks}");
    assert!(marks.contains("M76 90L84 98M84 90L76 98"), "a cross at the bottom: {marks}");
    experiment.stop().unwrap();
}
