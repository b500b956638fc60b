//! [`Escape`]: what an escape sequence tells a terminal, as far as it decides which lines are left to see.
//!
//! A sequence that is not understood is left out. One that never ends is given up at the next control character, or when it
//! is longer than any that there is.

/// The longest sequence that is read; those of programs have some tens of bytes.
const LONGEST: usize = 256;

/// The longest string in a sequence, such as a title or an address.
const LONGEST_STRING: usize = 1 << 20;

/// What a sequence tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Move the cursor up so many lines.
    Up(usize),
    /// Move it down.
    Down(usize),
    /// Erase the line.
    EraseLine,
    /// Erase the line behind the cursor.
    EraseBehind,
    /// Erase all that is behind and below the cursor.
    EraseBelow,
    /// Go to the alternate screen, or come back.
    AlternateScreen(bool),
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    /// In no sequence.
    #[default]
    Outside,
    /// Behind the escape character.
    Begun,
    /// Behind a byte that needs another.
    Intermediate,
    /// In a control sequence, with its parameters.
    Control,
    /// In a string, which ends with a bell or an escape and a backslash.
    String,
    /// Behind an escape in a string.
    StringEnding,
}

/// Where in a sequence a stream is.
#[derive(Debug, Default)]
pub(super) struct Escape {
    state: State,
    parameters: Vec<u8>,
    length: usize,
}

impl Escape {
    /// The escape character was read.
    pub(super) fn begin(&mut self) {
        self.state = State::Begun;
        self.parameters.clear();
        self.length = 0;
    }

    /// Whether the next byte is part of a sequence, or ends it.
    pub(super) fn is_open(&self) -> bool {
        self.state != State::Outside
    }

    /// Whether the byte that was just fed is part of the sequence.
    pub(super) fn took(&self, byte: u8) -> bool {
        // Only what ends a sequence early leaves it with nothing taken.
        self.is_open() || self.length != 0 || byte == b'\x1b'
    }

    /// Takes a byte of a sequence; says what the sequence tells when it is its last.
    pub(super) fn feed(&mut self, byte: u8) -> Option<Told> {
        self.length += 1;
        if self.state == State::StringEnding && byte != b'\\' {
            // A new sequence ends the string as well.
            self.begin();
        }
        match (&self.state, byte) {
            (State::String, b'\x07') | (State::StringEnding, b'\\') => self.state = State::Outside,
            (State::String, b'\x1b') => self.state = State::StringEnding,
            (_, b'\x1b') => self.begin(),
            (State::String, b'\t' | b'\r') => {}
            (_, ..b' ' | 0x7f) => self.give_up(),
            (State::String, _) if self.length < LONGEST_STRING => {}
            (State::String | State::StringEnding | State::Outside, _) => self.give_up(),
            _ if self.length > LONGEST => self.give_up(),
            (State::Begun, b'[') => self.state = State::Control,
            (State::Begun, b']' | b'P' | b'X' | b'^' | b'_') => self.state = State::String,
            (State::Begun | State::Intermediate, b' '..b'0') => self.state = State::Intermediate,
            (State::Begun, _) => {
                self.state = State::Outside;
                match byte {
                    b'M' => return Some(Told::Up(1)),
                    b'c' => return Some(Told::AlternateScreen(false)),
                    _ => {}
                }
            }
            (State::Intermediate, _) => self.state = State::Outside,
            (State::Control, b' '..b'@') => self.parameters.push(byte),
            (State::Control, _) => {
                self.state = State::Outside;
                return self.control(byte);
            }
        }
        None
    }

    fn give_up(&mut self) {
        self.state = State::Outside;
        self.length = 0;
    }

    /// What a control sequence tells that ends in `last`.
    fn control(&self, last: u8) -> Option<Told> {
        let parameters = str::from_utf8(&self.parameters).unwrap_or_default();
        if let Some(modes) = parameters.strip_prefix('?') {
            let is_screen = modes.split(';').any(|mode| matches!(mode, "1049" | "1047" | "47"));
            return match last {
                b'h' if is_screen => Some(Told::AlternateScreen(true)),
                b'l' if is_screen => Some(Told::AlternateScreen(false)),
                _ => None,
            };
        }
        let count = parameters.parse().unwrap_or(1).max(1);
        match (last, parameters) {
            (b'A' | b'F', _) => Some(Told::Up(count)),
            (b'B' | b'E', _) => Some(Told::Down(count)),
            (b'K', "2") => Some(Told::EraseLine),
            (b'K', "" | "0") => Some(Told::EraseBehind),
            (b'J', "" | "0") => Some(Told::EraseBelow),
            _ => None,
        }
    }
}
