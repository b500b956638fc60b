//! [`Lines`]: the lines that a reader of a terminal ends up seeing, from the bytes that a program writes to it.
//!
//! Of what is written over, by a carriage return or with the cursor moved up, only the last state is kept. Escape sequences
//! are left out and everything that is visible stays. Nothing is given out of what is drawn on the alternate screen. Memory
//! is bounded: a line longer than [`MOST_BYTES`] comes in pieces, at most [`MOST_ROWS`] lines wait to be written over.

use std::collections::VecDeque;

use super::escape::{Escape, Told};

/// The most bytes of a piece of a line.
const MOST_BYTES: usize = 64 << 10;

/// How many lines wait to be written over at most: of those above only a terminal of that height shows that they change.
const MOST_ROWS: usize = 64;

/// Stands at the end of a piece of a line that goes on in the next.
const GOES_ON: &str = "\u{2026}";

/// A line that may still be written over.
#[derive(Debug, Default)]
struct Row {
    text: Vec<u8>,
    /// When its end was read.
    time: i64,
}

/// The state of one stream.
#[derive(Debug, Default)]
pub(super) struct Lines {
    escape: Escape,
    /// The line that the cursor is in.
    line: Vec<u8>,
    /// The cursor is at the beginning of `line`: what comes next stands in its place.
    is_fresh: bool,
    /// The lines that a program that moves the cursor up may come back to, once one did; `None` was given out already.
    rows: VecDeque<Option<Row>>,
    /// Where among `rows` the cursor is, while there are any.
    row: usize,
    is_on_alternate_screen: bool,
}

impl Lines {
    /// Takes what was read at `time`, and gives out each line that is finished with the time it was.
    pub(super) fn feed(&mut self, mut bytes: &[u8], time: i64, give: &mut impl FnMut(i64, &str)) {
        while let Some(&first) = bytes.first() {
            if self.escape.is_open() {
                if let Some(told) = self.escape.feed(first) {
                    self.obey(&told, time, give);
                }
                // A control character ends an escape sequence and means what it always means.
                if self.escape.took(first) {
                    bytes = bytes.get(1..).unwrap_or_default();
                }
                continue;
            }
            let length = bytes.iter().position(|byte| is_control(*byte)).unwrap_or(bytes.len());
            let (text, rest) = bytes.split_at(length);
            bytes = rest.get(1..).unwrap_or_default();
            match rest.first() {
                // The usual line: nothing is copied.
                Some(b'\n') if self.is_plain() && text.len() <= MOST_BYTES => {
                    give(time, &String::from_utf8_lossy(text));
                }
                control => {
                    self.write(text, time, give);
                    if let Some(control) = control {
                        self.control(*control, time, give);
                    }
                }
            }
        }
    }

    /// Whether lines wait to be written over.
    pub(super) fn is_waiting(&self) -> bool {
        !self.rows.is_empty()
    }

    /// Gives out the lines that waited to be written over.
    pub(super) fn settle(&mut self, give: &mut impl FnMut(i64, &str)) {
        while !self.rows.is_empty() {
            self.give_first_row(give);
        }
        self.row = 0;
    }

    /// Gives out what has not been: no more comes.
    pub(super) fn finish(&mut self, time: i64, give: &mut impl FnMut(i64, &str)) {
        if self.rows.is_empty() {
            if !self.line.is_empty() {
                give(time, &String::from_utf8_lossy(&self.line));
            }
        } else if !self.line.is_empty() {
            self.leave_row(time, give);
        }
        self.line.clear();
        self.is_fresh = false;
        self.settle(give);
    }

    /// Whether a line that comes whole can be given out as it is.
    fn is_plain(&self) -> bool {
        self.line.is_empty() && self.rows.is_empty() && !self.is_on_alternate_screen
    }

    fn write(&mut self, mut text: &[u8], time: i64, give: &mut impl FnMut(i64, &str)) {
        if text.is_empty() || self.is_on_alternate_screen {
            return;
        }
        if self.is_fresh {
            self.line.clear();
            self.is_fresh = false;
        }
        while self.line.len() + text.len() > MOST_BYTES {
            let (head, tail) = text.split_at(MOST_BYTES.saturating_sub(self.line.len()).min(text.len()));
            self.line.extend_from_slice(head);
            // A character is not cut.
            let end = self.line.len() - unfinished(&self.line);
            let behind = self.line.split_off(end);
            self.settle(give);
            give(time, &format!("{}{GOES_ON}", String::from_utf8_lossy(&self.line)));
            self.line = behind;
            text = tail;
        }
        self.line.extend_from_slice(text);
    }

    fn control(&mut self, control: u8, time: i64, give: &mut impl FnMut(i64, &str)) {
        match control {
            b'\x1b' => self.escape.begin(),
            _ if self.is_on_alternate_screen => {}
            b'\n' => self.end_line(time, give),
            b'\r' => self.is_fresh = true,
            b'\t' => self.write(b"\t", time, give),
            0x08 if !self.is_fresh => {
                // What is written next stands in place of the last character.
                while self.line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            _ => {}
        }
    }

    fn end_line(&mut self, time: i64, give: &mut impl FnMut(i64, &str)) {
        if self.rows.is_empty() {
            give(time, &String::from_utf8_lossy(&self.line));
            self.line.clear();
        } else {
            self.leave_row(time, give);
            self.row += 1;
            self.enter_row();
        }
        self.is_fresh = false;
    }

    fn obey(&mut self, told: &Told, time: i64, give: &mut impl FnMut(i64, &str)) {
        match told {
            Told::AlternateScreen(on) => self.is_on_alternate_screen = *on,
            _ if self.is_on_alternate_screen => {}
            Told::Up(rows) => {
                self.leave_row(time, give);
                // Those that are known, and more above them as far as there is room: a terminal stops at its top as well.
                let room = MOST_ROWS.saturating_sub(self.rows.len());
                let above = rows.saturating_sub(self.row).min(room);
                for _ in 0..above {
                    self.rows.push_front(None);
                }
                self.row = (self.row + above).saturating_sub(*rows);
                self.enter_row();
            }
            Told::Down(rows) if !self.rows.is_empty() => {
                self.leave_row(time, give);
                self.row = self.row.saturating_add(*rows).min(self.rows.len());
                self.enter_row();
            }
            Told::EraseLine => self.line.clear(),
            // What stands before the cursor stays.
            Told::EraseBehind if self.is_fresh => self.line.clear(),
            Told::EraseBelow if self.is_fresh => {
                self.line.clear();
                self.rows.truncate(self.row);
            }
            _ => {}
        }
    }

    /// Puts the line where it belongs among the rows.
    fn leave_row(&mut self, time: i64, give: &mut impl FnMut(i64, &str)) {
        let text = std::mem::take(&mut self.line);
        // A row that was given out and not written to stays given out.
        let row = (!text.is_empty()).then_some(Row { text, time });
        match self.rows.get_mut(self.row) {
            Some(there) => *there = row,
            None => self.rows.push_back(row),
        }
        if self.rows.len() > MOST_ROWS {
            self.give_first_row(give);
        }
    }

    /// Takes the line out of the row that the cursor came to, at its beginning.
    fn enter_row(&mut self) {
        self.line = self.rows.get_mut(self.row).and_then(Option::take).map(|row| row.text).unwrap_or_default();
        self.is_fresh = true;
    }

    fn give_first_row(&mut self, give: &mut impl FnMut(i64, &str)) {
        if let Some(Some(row)) = self.rows.pop_front() {
            give(row.time, &String::from_utf8_lossy(&row.text));
        }
        self.row = self.row.saturating_sub(1);
    }
}

const fn is_control(byte: u8) -> bool {
    byte < b' ' || byte == 0x7f
}

/// How many bytes at the end of `text` begin a character that is not whole.
fn unfinished(text: &[u8]) -> usize {
    for back in 1..=3 {
        let Some(byte) = text.len().checked_sub(back).and_then(|at| text.get(at)) else { return 0 };
        let length = match byte {
            0xc0..0xe0 => 2,
            0xe0..0xf0 => 3,
            0xf0.. => 4,
            0x80..0xc0 => continue,
            _ => return 0,
        };
        return if length > back { back } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of a text, whole and byte by byte, which must be the same.
    fn lines(text: impl AsRef<[u8]>) -> Vec<String> {
        let text = text.as_ref();
        let of = |pieces: &mut dyn Iterator<Item = &[u8]>| {
            let (mut lines, mut found) = (Lines::default(), Vec::new());
            let mut give = |_: i64, line: &str| found.push(line.to_owned());
            for piece in pieces {
                lines.feed(piece, 1, &mut give);
            }
            lines.finish(2, &mut give);
            found
        };
        let whole = of(&mut std::iter::once(text));
        assert_eq!(of(&mut text.chunks(1)), whole, "the same however it is cut");
        whole
    }

    #[test]
    fn lines_end_at_newlines_and_the_last_at_the_end() {
        assert_eq!(lines("a\nb\n\nc"), ["a", "b", "", "c"]);
        assert_eq!(lines(""), [""; 0]);
        assert_eq!(lines("a\r\nb\r\r\n"), ["a", "b"]);
        assert_eq!(lines("tab\there\x07\n"), ["tab\there"]);
    }

    #[test]
    fn of_a_bar_that_is_drawn_over_the_last_state_stays() {
        assert_eq!(lines("\r 10%\r 50%\r100%\nnext\n"), ["100%", "next"]);
        assert_eq!(lines("10%\r20%\r30%"), ["30%"]);
        assert_eq!(lines("10%\r20%\r"), ["20%"]);
        assert_eq!(lines("long line\r\x1b[2Kshort\n"), ["short"]);
        assert_eq!(lines("gone\r\x1b[K\n"), [""]);
        assert_eq!(lines("loss 0.5\x1b[K\n"), ["loss 0.5"]);
        assert_eq!(lines("wait |\x08/\x08-\x08\\\n"), ["wait \\"]);
    }

    #[test]
    fn bars_in_several_lines_are_kept_as_they_ended() {
        let rounds: Vec<_> = (1..=9).map(|round| format!("\x1b[2A\r\x1b[2Ka {round}\n\r\x1b[2Kb {round}\n")).collect();
        assert_eq!(
            lines(format!("start\na 0\nb 0\n{}done\n", rounds.concat())),
            ["start", "a 0", "b 0", "a 9", "b 9", "done"]
        );
        // As the library indicatif draws: the last line is not ended.
        let text = "\ra 0\nb 0\x1b[1A\r\x1b[2Ka 1\n\x1b[2Kb 1\x1b[1A\r\x1b[2Ka 2\n\x1b[2Kb 2\n";
        assert_eq!(lines(text), ["a 0", "a 2", "b 2"]);
    }

    #[test]
    fn lines_behind_bars_are_not_held_for_ever() {
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        lines.feed(b"a 0\n\x1b[1Aa 1\n", 1, &mut |_, line| found.push(line.to_owned()));
        assert_eq!((found.as_slice(), lines.is_waiting()), (["a 0".to_owned()].as_slice(), true));
        lines.settle(&mut |time, line| found.push(format!("{line} at {time}")));
        assert_eq!((found, lines.is_waiting()), (vec!["a 0".to_owned(), "a 1 at 1".to_owned()], false));
        let many = "line\n".repeat(200);
        let mut lines = Lines::default();
        let mut count = 0;
        lines.feed(format!("x\n\x1b[1A{many}").as_bytes(), 1, &mut |_, _| count += 1);
        assert_eq!(count, 1 + 200 - MOST_ROWS);
    }

    #[test]
    fn a_program_that_goes_up_further_than_it_printed_is_followed_and_takes_no_more_memory_each_time() {
        // As programs do that go to the top of a terminal whose height they do not know.
        let frame = |round: u32| format!("\x1b[100A\r{}", format!("\x1b[2Kstate {round}\n").repeat(24));
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        for round in 0..1000 {
            lines.feed(frame(round).as_bytes(), 1, &mut |_, line| found.push(line.to_owned()));
            assert!(lines.rows.len() <= MOST_ROWS, "{} rows wait", lines.rows.len());
        }
        lines.finish(2, &mut |_, line| found.push(line.to_owned()));
        assert_eq!(found, vec!["state 999"; 24]);
        // And back down again, without ever ending a line.
        let mut lines = Lines::default();
        for _ in 0..1000 {
            lines.feed(b"\x1b[1A\x1b[9Bx", 1, &mut |_, _| {});
            assert!(lines.rows.len() <= MOST_ROWS, "{} rows wait", lines.rows.len());
        }
    }

    #[test]
    fn no_number_of_lines_is_too_large() {
        for number in [u64::MAX.to_string(), "9".repeat(100), "0".to_owned(), "65".to_owned()] {
            let text = format!("a\nb\n\x1b[1A\x1b[{number}B\x1b[{number}A\x1b[{number}Bc\n");
            assert!(lines(&text).last().is_some_and(|line| line == "c" || line == "b"), "{number}: {:?}", lines(&text));
        }
    }

    #[test]
    fn escape_sequences_are_left_out_and_what_is_visible_stays() {
        assert_eq!(lines("\x1b[1;32mgreen\x1b[0m and \x1b]8;;http://x\x1b\\link\x1b]8;;\x07\n"), ["green and link"]);
        assert_eq!(lines("\x1b(Btext\x1b7\x1b8\x1b=\n"), ["text"]);
        assert_eq!(lines("cut \x1b[3\nnext \x1b]0;title\nlast\n"), ["cut ", "next ", "last"]);
        let endless = format!("\x1b[{}visible\n", "1;".repeat(300));
        assert!(lines(endless)[0].ends_with("visible"));
    }

    #[test]
    fn nothing_is_kept_of_the_alternate_screen() {
        for number in ["1049", "1047", "47", "1;1049"] {
            let text = format!("before\nhalf \x1b[?{number}hdrawn\n\x1b[5Adrawn\x1b[?{number}lline\nafter\n");
            assert_eq!(lines(text), ["before", "half line", "after"], "{number}");
        }
        assert_eq!(lines("\x1b[?25l\x1b[?2004hshown\n"), ["shown"]);
    }

    #[test]
    fn bytes_that_are_no_text_are_marked() {
        assert_eq!(lines(b"a\xffb\xe2\x82\n"), ["a\u{fffd}b\u{fffd}"]);
        assert_eq!(lines("\u{4e2d}\u{1f600}\n"), ["\u{4e2d}\u{1f600}"]);
    }

    #[test]
    fn a_long_line_comes_in_pieces_that_say_so() {
        for character in ["x", "\u{e9}", "\u{4e2d}", "\u{1f600}"] {
            let text = character.repeat((3 * MOST_BYTES + 100) / character.len());
            let found = lines(format!("{text}\nend\n"));
            assert_eq!((found.len(), found[4].as_str()), (5, "end"), "{character}");
            assert!(found[..3].iter().all(|piece| piece.ends_with(GOES_ON) && piece.len() <= MOST_BYTES + 3));
            assert_eq!(found[..4].concat().replace(GOES_ON, ""), text);
        }
    }
}
