//! A real browser: headless Chromium, driven through its DevTools protocol.
//!
//! Whatever the page does wrong fails the test that has it open: an error on the console, an exception that nobody caught, a
//! request to anywhere but the server.

use std::{
    io::{BufRead as _, BufReader, ErrorKind},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use base64::Engine as _;
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

/// How long anything that a page does may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long is waited for what the browser tells, before it is looked whether that took too long.
const LOOK: Duration = Duration::from_millis(200);

/// The names under which the program is installed.
const PROGRAMS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// A browser with one page, and the frames in it that have an origin of their own.
#[derive(Debug)]
pub(crate) struct Browser {
    process: Child,
    socket: WebSocket<TcpStream>,
    session: String,
    /// The sessions of frames, as they came.
    frames: Vec<String>,
    next: u64,
    /// What the page did wrong.
    wrong: Vec<String>,
    /// What the page asked for.
    requests: Vec<String>,
    origin: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts a browser and opens `url`.
    pub(crate) fn open(url: &str) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let (process, debugger) = launch(profile.path());
        let authority = debugger.strip_prefix("ws://").and_then(|it| it.split('/').next()).unwrap().to_owned();
        let stream = TcpStream::connect(authority).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (socket, _) = tungstenite::client(&debugger, stream).unwrap();
        socket.get_ref().set_read_timeout(Some(LOOK)).unwrap();
        let origin = url.split('/').take(3).collect::<Vec<_>>().join("/");
        let mut browser = Self {
            process,
            socket,
            session: String::new(),
            frames: Vec::new(),
            next: 0,
            wrong: Vec::new(),
            requests: Vec::new(),
            origin,
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", &json!({"url": "about:blank"}));
        let attached = browser.call("Target.attachToTarget", &json!({"targetId": target["targetId"], "flatten": true}));
        attached["sessionId"].as_str().unwrap().clone_into(&mut browser.session);
        for domain in ["Runtime", "Log", "Network", "Page"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        let frames = json!({"autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true});
        browser.call("Target.setAutoAttach", &frames);
        browser.size(1280, 800);
        browser.go(url);
        browser
    }

    /// Sets the size of the window, in pixels.
    pub(crate) fn size(&mut self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Makes the system prefer a dark theme, or a light one.
    pub(crate) fn prefer_dark(&mut self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        self.call(
            "Emulation.setEmulatedMedia",
            &json!({"features": [{"name": "prefers-color-scheme", "value": value}]}),
        );
    }

    /// Loads an address, and waits until its script has run.
    pub(crate) fn go(&mut self, url: &str) {
        self.call("Page.navigate", &json!({"url": url}));
        self.wait_for(&format!("document.readyState === 'complete' && location.href !== 'about:blank' && {READY}"));
    }

    /// The value of an expression in the page; a promise is waited for.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        self.value_in(&self.session.clone(), expression)
    }

    /// The value of an expression in the frame that came last.
    pub(crate) fn value_in_frame(&mut self, expression: &str) -> Value {
        let began = now();
        while self.frames.is_empty() {
            assert!(began.elapsed() < PATIENCE, "the page has no frame of another origin");
            self.listen(Duration::from_millis(20));
        }
        self.value_in(&self.frames.last().unwrap().clone(), expression)
    }

    /// Waits until an expression is true in the frame that came last.
    pub(crate) fn wait_for_in_frame(&mut self, expression: &str) {
        let began = now();
        while self.value_in_frame(&format!("Boolean({expression})")) != json!(true) {
            assert!(began.elapsed() < PATIENCE, "{expression} did not come true in the frame; wrong: {:?}", self.wrong);
            self.listen(Duration::from_millis(20));
        }
    }

    fn value_in(&mut self, session: &str, expression: &str) -> Value {
        let wanted = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let answer = self.call_in(session, "Runtime.evaluate", &wanted);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true in the page.
    pub(crate) fn wait_for(&mut self, expression: &str) {
        let began = now();
        while self.value(&format!("Boolean({expression})")) != json!(true) {
            if began.elapsed() > PATIENCE {
                let page = self.value("document.body?.innerText ?? ''");
                panic!("{expression} did not come true; wrong: {:?}; the page says:\n{page}", self.wrong);
            }
            self.listen(Duration::from_millis(20));
        }
    }

    /// Waits until the page has an element with this text in it.
    pub(crate) fn wait_for_text(&mut self, selector: &str, text: &str) {
        let (selector, text) = (json!(selector), json!(text));
        self.wait_for(&format!(
            "[...document.querySelectorAll({selector})].some((it) => it.textContent.includes({text}))"
        ));
    }

    /// The text of the page as it is seen.
    pub(crate) fn text(&mut self) -> String {
        self.value("document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// Clicks into the middle of the first element of a selector, once it is there.
    pub(crate) fn click(&mut self, selector: &str) {
        let (x, y) = self.middle(selector);
        self.mouse("mousePressed", x, y);
        self.mouse("mouseReleased", x, y);
    }

    /// Drags from one place of an element to another, in shares of its width and height.
    pub(crate) fn drag(&mut self, selector: &str, from: (f64, f64), to: (f64, f64)) {
        let place = self.place(selector);
        let at = |(x, y): (f64, f64)| (place[0] + x * place[2], place[1] + y * place[3]);
        let ((x, y), (to_x, to_y)) = (at(from), at(to));
        self.mouse("mouseMoved", x, y);
        self.mouse("mousePressed", x, y);
        self.mouse("mouseMoved", f64::midpoint(x, to_x), f64::midpoint(y, to_y));
        self.mouse("mouseMoved", to_x, to_y);
        self.mouse("mouseReleased", to_x, to_y);
    }

    /// Moves the mouse over an element, to a place in shares of its width and height.
    pub(crate) fn hover(&mut self, selector: &str, (x, y): (f64, f64)) {
        let place = self.place(selector);
        self.mouse("mouseMoved", place[0] + x * place[2], place[1] + y * place[3]);
    }

    fn mouse(&mut self, kind: &str, x: f64, y: f64) {
        let button = if kind == "mouseMoved" { "none" } else { "left" };
        let pressed = i32::from(kind != "mouseReleased");
        self.call(
            "Input.dispatchMouseEvent",
            &json!({"type": kind, "x": x, "y": y, "button": button, "buttons": pressed, "clickCount": 1}),
        );
    }

    /// Left, top, width and height of the first element of a selector, scrolled into view.
    fn place(&mut self, selector: &str) -> [f64; 4] {
        let selector = json!(selector);
        self.wait_for(&format!("document.querySelector({selector})"));
        let place = self.value(&format!(
            "(() => {{ const it = document.querySelector({selector}); it.scrollIntoView({{block: 'nearest'}});
                const box = it.getBoundingClientRect(); return [box.x, box.y, box.width, box.height]; }})()"
        ));
        std::array::from_fn(|at| place[at].as_f64().unwrap())
    }

    fn middle(&mut self, selector: &str) -> (f64, f64) {
        let place = self.place(selector);
        (place[0] + place[2] / 2.0, place[1] + place[3] / 2.0)
    }

    /// Presses a key, such as `j`, `Enter` or `ArrowRight`.
    pub(crate) fn press(&mut self, key: &str) {
        let text = if key.chars().count() == 1 { Some(key) } else { (key == "Enter").then_some("\r") };
        let mut down = json!({"type": if text.is_some() { "keyDown" } else { "rawKeyDown" }, "key": key});
        if let Some(text) = text {
            down["text"] = json!(text);
        }
        self.call("Input.dispatchKeyEvent", &down);
        self.call("Input.dispatchKeyEvent", &json!({"type": "keyUp", "key": key}));
    }

    /// Types into what has the focus.
    pub(crate) fn type_text(&mut self, text: &str) {
        self.call("Input.insertText", &json!({"text": text}));
    }

    /// Writes a picture of the page.
    pub(crate) fn picture(&mut self, file: &Path) {
        let picture = self.call("Page.captureScreenshot", &json!({"format": "png"}));
        let bytes = base64::engine::general_purpose::STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }

    /// Everything that was asked for so far, by its address.
    pub(crate) fn requests(&self) -> &[String] {
        &self.requests
    }

    /// What the page did wrong so far; it is not held against it any more.
    pub(crate) fn take_wrong(&mut self) -> Vec<String> {
        self.listen(Duration::from_millis(100));
        std::mem::take(&mut self.wrong)
    }

    /// Calls a method of the protocol and waits for its answer.
    fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.call_in(&self.session.clone(), method, parameters)
    }

    /// Sends a method to the page or to a frame; gives the number of its answer.
    fn send(&mut self, session: &str, method: &str, parameters: &Value) -> u64 {
        self.next += 1;
        let mut message = json!({"id": self.next, "method": method, "params": parameters});
        if !session.is_empty() {
            message["sessionId"] = json!(session);
        }
        self.socket.send(Message::text(message.to_string())).unwrap();
        self.next
    }

    fn call_in(&mut self, session: &str, method: &str, parameters: &Value) -> Value {
        let id = self.send(session, method, parameters);
        let began = now();
        loop {
            assert!(began.elapsed() < PATIENCE, "the browser does not answer {method}");
            if let Some(message) = self.receive()
                && message["id"] == json!(id)
            {
                assert!(message.get("error").is_none(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
        }
    }

    /// Takes what the browser tells for a while.
    fn listen(&mut self, time: Duration) {
        let began = now();
        self.socket.get_ref().set_read_timeout(Some(time.min(LOOK))).unwrap();
        while began.elapsed() < time {
            drop(self.receive());
        }
        self.socket.get_ref().set_read_timeout(Some(LOOK)).unwrap();
    }

    fn receive(&mut self) -> Option<Value> {
        let message = match self.socket.read() {
            Ok(message) => message,
            Err(tungstenite::Error::Io(error))
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
            {
                return None;
            }
            Err(error) => panic!("the browser is gone: {error}"),
        };
        let message: Value = serde_json::from_str(message.to_text().ok()?).ok()?;
        let told = &message["params"];
        match message["method"].as_str() {
            Some("Runtime.exceptionThrown") => self.wrong.push(told["exceptionDetails"].to_string()),
            Some("Runtime.consoleAPICalled") if told["type"] == "error" || told["type"] == "warning" => {
                self.wrong.push(told["args"].to_string());
            }
            Some("Log.entryAdded") if told["entry"]["level"] == "error" => self.wrong.push(told["entry"].to_string()),
            Some("Target.attachedToTarget") if told["targetInfo"]["type"] == "iframe" => {
                let frame = told["sessionId"].as_str().unwrap().to_owned();
                for method in ["Runtime.enable", "Log.enable", "Network.enable", "Runtime.runIfWaitingForDebugger"] {
                    self.send(&frame, method, &json!({}));
                }
                self.frames.push(frame);
            }
            Some("Target.detachedFromTarget") => self.frames.retain(|frame| told["sessionId"] != json!(frame)),
            Some("Network.requestWillBeSent") => {
                let url = told["request"]["url"].as_str().unwrap_or_default().to_owned();
                let is_ours = [&self.origin, "data:", "blob:", "about:"].iter().any(|ours| url.starts_with(*ours));
                if !is_ours {
                    self.wrong.push(format!("a request left for {url}"));
                }
                self.requests.push(url);
            }
            _ => {}
        }
        Some(message)
    }
}

/// What is true in a page whose script has run.
const READY: &str = "document.getElementById('page')?.childElementCount > 0";

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
        if !std::thread::panicking() {
            assert!(self.wrong.is_empty(), "the page did something wrong: {:#?}", self.wrong);
        }
    }
}

/// Starts the program, and says where its debugger listens.
fn launch(profile: &Path) -> (Child, String) {
    let mut arguments = vec![
        "--headless=new".to_owned(),
        "--remote-debugging-port=0".to_owned(),
        format!("--user-data-dir={}", profile.display()),
    ];
    // The sandbox of the browser does not start as root, nor in most containers; it opens no page but ours.
    let quiet = "--no-sandbox --disable-gpu --no-first-run --disable-extensions --disable-background-networking \
                 --disable-component-update --disable-default-apps --disable-sync --mute-audio --hide-scrollbars \
                 --disable-dev-shm-usage";
    arguments.extend(quiet.split_whitespace().map(str::to_owned));
    let started = PROGRAMS.iter().find_map(|program| {
        let mut command = Command::new(program);
        command.args(&arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().ok()
    });
    let mut process = started.expect("the tests of the pages need Chromium: apt-get install chromium");
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let debugger = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("DevTools listening on ").map(str::to_owned))
        .expect("Chromium did not start");
    // Somebody must read what else it says.
    std::thread::Builder::new().name("test:browser".into()).spawn(move || lines.for_each(drop)).unwrap();
    (process, debugger)
}

#[expect(clippy::disallowed_methods, reason = "a test that waits needs a clock")]
fn now() -> Instant {
    Instant::now()
}
