//! [`Timeline`]: the spans of one step, kept whole, as the JSON that Perfetto and Chrome draw.
//!
//! The format is the "Trace Event Format" of Chrome: complete events (`ph: "X"`) on one row for each thread, and
//! asynchronous ones (`"b"` and `"e"`) for calls that awaited. Times are microseconds from the beginning of the step.

use serde_json::{Value, json};

/// Spans that are drawn at most: the longest. Nobody reads more.
const MOST: usize = 4_000;

/// Bytes that are drawn at most: a record holds a mebibyte.
const LONGEST: usize = (1 << 20) - 4_096;

/// A span of a step.
#[derive(Debug, Clone)]
pub(crate) struct Drawn {
    pub(crate) name: Box<str>,
    pub(crate) path: Box<str>,
    /// Which thread, as an index into [`Timeline::threads`].
    pub(crate) thread: usize,
    /// Nanoseconds from the beginning of the step; negative for what was under way.
    pub(crate) began: i64,
    pub(crate) nanos: u64,
    /// For a call that awaited: the time in it.
    pub(crate) busy: Option<u64>,
}

#[derive(Debug, Clone)]
pub(crate) struct Timeline {
    pub(crate) step: f64,
    pub(crate) nanos: u64,
    pub(crate) threads: Vec<String>,
    pub(crate) spans: Vec<Drawn>,
    /// Nothing of it was forgotten before it was drawn.
    pub(crate) is_whole: bool,
}

impl Timeline {
    pub(crate) fn to_json(&self) -> String {
        let mut most = MOST;
        loop {
            let json = self.longest(most);
            if json.len() <= LONGEST || most == 0 {
                return json;
            }
            most /= 2;
        }
    }

    /// Its longest spans.
    fn longest(&self, most: usize) -> String {
        let mut spans: Vec<&Drawn> = self.spans.iter().collect();
        let left_out = spans.len().saturating_sub(most);
        if left_out > 0 {
            spans.sort_by_key(|span| std::cmp::Reverse(span.nanos));
            spans.truncate(most);
        }
        spans.sort_by_key(|span| (span.began, std::cmp::Reverse(span.nanos)));
        let names = self.threads.iter().enumerate().map(|(thread, name)| {
            json!({ "ph": "M", "pid": 1, "tid": thread + 1, "name": "thread_name", "args": { "name": name } })
        });
        let events: Vec<Value> =
            names.chain(spans.iter().enumerate().flat_map(|(number, span)| events(number, span))).collect();
        json!({
            "traceEvents": events,
            "displayTimeUnit": "ms",
            "otherData": {
                "step": self.step,
                "seconds": self.nanos as f64 / 1e9,
                "spansLeftOut": left_out,
                "isWhole": self.is_whole && left_out == 0,
            },
        })
        .to_string()
    }
}

fn events(number: usize, span: &Drawn) -> Vec<Value> {
    let micros = |nanos: f64| nanos / 1e3;
    let (from, took) = (micros(span.began as f64), micros(span.nanos as f64));
    let event = |phase: &str, at: f64| json!({ "ph": phase, "name": span.name, "cat": span.path, "pid": 1, "tid": span.thread + 1, "ts": at });
    let Some(busy) = span.busy else {
        let mut complete = event("X", from);
        complete["dur"] = json!(took);
        return vec![complete];
    };
    let (mut begin, mut end) = (event("b", from), event("e", from + took));
    begin["id"] = json!(number);
    begin["args"] = json!({ "busy_us": micros(busy as f64) });
    end["id"] = json!(number);
    vec![begin, end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_drawn_by_thread_and_its_longest_spans_are_kept() {
        let span = |name: &str, began: i64, nanos: u64, busy: Option<u64>| Drawn {
            name: name.into(),
            path: format!("step/{name}").into(),
            thread: 0,
            began,
            nanos,
            busy,
        };
        let mut timeline = Timeline {
            step: 7.0,
            nanos: 2_000_000,
            threads: vec!["main \"quoted\"".into()],
            is_whole: true,
            spans: vec![span("forward", 1_000, 500_000, None), span("load", -2_000, 1_000_000, Some(300_000))],
        };
        let drawn: Value = serde_json::from_str(&timeline.to_json()).unwrap();
        let events = drawn["traceEvents"].as_array().unwrap();
        assert_eq!(events.len(), 4);
        assert_eq!(events[0]["args"]["name"], "main \"quoted\"");
        assert_eq!((&events[1]["ph"], &events[1]["ts"]), (&json!("b"), &json!(-2.0)));
        assert_eq!((&events[3]["ph"], &events[3]["dur"]), (&json!("X"), &json!(500.0)));
        assert_eq!(drawn["otherData"]["step"], 7.0);

        timeline.spans = (0..5_000).map(|number| span("layer", number, number.unsigned_abs(), None)).collect();
        let json = timeline.to_json();
        assert!(json.len() < 1 << 20, "{} bytes do not fit a record", json.len());
        let drawn: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(drawn["otherData"]["spansLeftOut"], 1_000);
        assert_eq!(drawn["traceEvents"].as_array().unwrap()[1]["ts"], 1.0, "the shortest are left out");

        let name = "long".repeat(100);
        timeline.spans = (0..4_000).map(|number| span(&name, number, 1, Some(1))).collect();
        let json = timeline.to_json();
        assert!(json.len() < 1 << 20, "{} bytes do not fit a record", json.len());
        let drawn: Value = serde_json::from_str(&json).unwrap();
        assert!(drawn["otherData"]["isWhole"] == false && drawn["traceEvents"].as_array().unwrap().len() > 100);
    }
}
