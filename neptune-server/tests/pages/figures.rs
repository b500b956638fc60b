//! Figures of plotly and pages of HTML that were logged.

use std::{io::ErrorKind, net::TcpListener};

use neptune_core::Experiment;
use serde_json::{Value, json};

use crate::{browser::Browser, site::Site};

/// What there is in the frame when plotly.js has drawn.
const DRAWN: &str = "document.querySelectorAll('#figure .main-svg').length";

/// Somebody else, who hears when he is asked for anything.
struct Elsewhere(TcpListener);

impl Elsewhere {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn address(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }

    /// The browser told what it was asked for and did not do, and nothing else.
    fn was_not_asked(&self, browser: &mut Browser) {
        let told = browser.take_wrong();
        let refusals = ["Content Security Policy", "sandbox", "a request left for", "topojson"];
        let other = told.iter().find(|it| !refusals.iter().any(|why| it.contains(why)));
        assert_eq!(other, None);
        assert_eq!(self.0.accept().map_err(|error| error.kind()).err(), Some(ErrorKind::WouldBlock));
    }
}

fn log(experiment: &Experiment, name: &str, figure: &Value) {
    experiment.log_artifact(figure.to_string().as_bytes(), Some(name)).unwrap();
}

/// Opens an artifact beside the list of all.
fn open(browser: &mut Browser, site: &Site, name: &str) {
    browser.go(&site.url(&format!("/e/latest?tab=artifacts&file=artifacts/{name}")));
    browser.wait_for_text(".content h2", name);
}

fn wait_until_drawn(browser: &mut Browser) {
    browser.wait_for("document.querySelector('.rich-figure iframe')?.dataset.drawn === 'yes'");
}

#[test]
fn a_figure_of_plotly_is_drawn_in_a_frame_and_follows_the_theme() {
    let site = Site::new();
    let experiment = site.experiment();
    let heatmap = json!({
        "data": [{"type": "heatmap", "z": [[1, 20, 30], [20, 1, 60], [30, 60, 1]]}],
        "layout": {"title": {"text": "confusion"}, "height": 300, "width": 4000}
    });
    log(&experiment, "confusion.plotly.json", &heatmap);
    let values: Vec<f64> = (0..500).map(|at| f64::from(at * at % 97)).collect();
    log(&experiment, "weights.plotly.json", &json!({"data": [{"type": "histogram", "x": values}]}));
    experiment.stop().unwrap();
    let mut browser = site.open("/e/latest?tab=artifacts");
    browser.wait_for_text(".files td", "confusion.plotly.json");
    assert!(!browser.requests().iter().any(|url| url.contains("drawing")), "plotly.js came where no figure is shown");
    browser.prefer_dark(false);
    open(&mut browser, &site, "confusion.plotly.json");
    wait_until_drawn(&mut browser);
    assert!(browser.value_in_frame(DRAWN).as_u64() > Some(0));
    assert_eq!(
        browser.value_in_frame("document.querySelectorAll('#figure .hm image, #figure .heatmaplayer').length > 0"),
        true
    );
    assert_eq!(browser.value_in_frame("document.querySelector('.gtitle').textContent"), "confusion");
    assert_eq!(browser.value("document.querySelector('.rich-figure iframe').offsetHeight"), 300);
    let paper = "document.querySelector('.main-svg').style.background";
    assert_eq!(browser.value_in_frame(paper), "rgb(255, 255, 255)");
    browser.prefer_dark(true);
    browser.wait_for_in_frame(&format!("{paper} === 'rgb(15, 18, 22)'"));
    open(&mut browser, &site, "weights.plotly.json");
    wait_until_drawn(&mut browser);
    assert!(browser.value_in_frame("document.querySelectorAll('#figure .bars path').length").as_u64() > Some(5));
    browser
        .value("[...document.querySelectorAll('.content button')].find((it) => it.textContent === 'source').click()");
    browser.wait_for_text(".content pre", "\"histogram\"");
    assert_eq!(browser.value("document.querySelectorAll('.content iframe').length"), 0);
}

#[test]
fn what_is_no_figure_is_told_in_words() {
    let site = Site::new();
    let experiment = site.experiment();
    experiment.log_artifact("{\"data\": [".as_bytes(), Some("cut.plotly.json")).unwrap();
    log(&experiment, "list.plotly.json", &json!([1, 2]));
    log(&experiment, "traces.plotly.json", &json!({"data": [1, null]}));
    experiment.log_artifact(&*vec![b' '; (20 << 20) + 1], Some("large.plotly.json")).unwrap();
    experiment.stop().unwrap();
    let mut browser = site.open("/");
    for (name, says) in [
        ("cut.plotly.json", "it is not JSON"),
        ("list.plotly.json", "without a list `data`"),
        ("traces.plotly.json", "not all objects"),
    ] {
        open(&mut browser, &site, name);
        browser.wait_for_text(".rich-figure .error", says);
    }
    open(&mut browser, &site, "large.plotly.json");
    browser.wait_for_text(".content", "more than 20.0 MiB are not drawn: download it");
    assert_eq!(browser.value("document.querySelectorAll('iframe').length"), 0);
}

#[test]
fn a_hostile_figure_runs_nothing_and_asks_nobody() {
    let site = Site::new();
    let elsewhere = Elsewhere::new();
    let away = elsewhere.address();
    let experiment = site.experiment();
    let label = format!(
        "<a href=\"{away}/link\">link</a><img src=x onerror=\"parent.taken=1;taken=1\"><script>taken=1</script>\
         <a href=\"javascript:taken=1\">js</a><b onclick=\"taken=1\">b</b>"
    );
    let hostile = json!({
        "data": [
            {"type": "scatter", "x": [1, 2], "y": [1, 2], "name": label, "text": [label, label], "mode": "markers+text"},
        ],
        "layout": {
            "title": {"text": label},
            "annotations": [{"text": label, "x": 1, "y": 1, "hovertext": label}],
            "images": [{"source": format!("{away}/image.png"), "x": 0, "y": 1, "sizex": 1, "sizey": 1}],
            "__proto__": {"taken": 1},
        },
        "config": {"plotlyServerURL": away, "topojsonURL": format!("{away}/"), "showLink": true, "showSendToCloud": true},
        "frames": [{"name": label, "data": [{"name": label}]}],
    });
    log(&experiment, "hostile.plotly.json", &hostile);
    log(&experiment, "map.plotly.json", &json!({"data": [{"type": "scattergeo", "lon": [1], "lat": [1]}]}));
    experiment.stop().unwrap();
    let mut browser = site.open("/");
    open(&mut browser, &site, "hostile.plotly.json");
    browser.wait_for_text(".rich-figure p", "from elsewhere is not loaded");
    browser.wait_for_in_frame(DRAWN);
    browser.value_in_frame("[...document.querySelectorAll('a')].forEach((link) => link.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true})))");
    assert_eq!(
        browser.value_in_frame("[window.taken ?? null, ({}).taken ?? null, origin]"),
        json!([null, null, "null"])
    );
    assert_eq!(browser.value("window.taken ?? null"), Value::Null);
    let can = "(() => { try { return [parent.document.title] } catch { return 'nothing' } })()";
    assert_eq!(browser.value_in_frame(can), "nothing");
    let asked = format!("fetch('{away}/fetch').then(() => 'answered', () => 'refused')");
    assert_eq!(browser.value_in_frame(&asked), "refused");
    assert_eq!(browser.value_in_frame("fetch('/api/v1/projects').then(() => 'answered', () => 'refused')"), "refused");
    open(&mut browser, &site, "map.plotly.json");
    browser.wait_for_text(".rich-figure p", "from elsewhere is not loaded: https://cdn.plot.ly");
    // Whatever comes late has come.
    browser.value("new Promise((done) => setTimeout(done, 700))");
    elsewhere.was_not_asked(&mut browser);
}

#[test]
fn a_page_of_html_is_looked_at_and_asks_nobody() {
    let site = Site::new();
    let elsewhere = Elsewhere::new();
    let away = elsewhere.address();
    let experiment = site.experiment();
    let page = format!(
        "<link rel=stylesheet href=\"{away}/a.css\"><link rel=preconnect href=\"{away}\"><link rel=dns-prefetch href=\"{away}\">\
         <link rel=prefetch href=\"{away}/b\"><meta http-equiv=refresh content=\"0;url={away}/c\"><base href=\"{away}\">\
         <style>body {{ color: rgb(1, 2, 3); background: url({away}/d) }} @import url({away}/e)</style>\
         <img src=\"{away}/f\" onerror=\"parent.taken=1\"><script>parent.taken=1</script><iframe src=\"{away}/g\"></iframe><iframe srcdoc=\"<iframe src='{away}/j'></iframe>\"></iframe>\
         <object data=\"{away}/k\"></object><embed src=\"{away}/l\">\
         <form action=\"{away}/h\"><button>send</button></form><p>said</p><a href=\"{away}/i\">link</a>"
    );
    experiment.log_artifact(page.as_bytes(), Some("page.html")).unwrap();
    experiment.stop().unwrap();
    let mut browser = site.open("/");
    open(&mut browser, &site, "page.html");
    browser.wait_for("document.querySelector('.content iframe')");
    browser.wait_for_in_frame("document.readyState === 'complete'");
    assert_eq!(
        browser.value_in_frame("[getComputedStyle(document.body).color, document.body.innerText.includes('said')]"),
        json!(["rgb(1, 2, 3)", true])
    );
    assert_eq!(browser.value("window.taken ?? null"), Value::Null);
    // Whatever comes late has come.
    browser.value("new Promise((done) => setTimeout(done, 700))");
    elsewhere.was_not_asked(&mut browser);
}
