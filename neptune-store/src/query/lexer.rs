//! The words of a query.
//!
//! Every token knows its column, in characters from 1. Any text is either a token or a [`Fault`] at its place; the
//! lexer never looks behind the token it was asked for.

use super::{filter::Operator, filter_error::Fault};

/// One word of a query.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// Letters, digits, `_`, `/`, `-` and `.`: a keyword, a type, an attribute or a value.
    Word(String),
    /// An attribute in backquotes.
    Quoted(String),
    /// Text in quotes.
    Text(String),
    Int(i64),
    Float(f64),
    Operator(Operator),
    Colon,
    Open,
    Close,
    End,
}

/// Reads tokens from the front of a query.
pub(super) struct Lexer {
    characters: Vec<char>,
    position: usize,
}

impl Lexer {
    pub(super) fn new(query: &str) -> Self {
        Self { characters: query.chars().collect(), position: 0 }
    }

    /// The next token and its column. At the end it is [`Token::End`], however often it is asked.
    pub(super) fn next(&mut self) -> Result<(Token, usize), Fault> {
        while self.peek().is_some_and(char::is_whitespace) {
            self.position += 1;
        }
        let column = self.position + 1;
        Ok((self.token(column)?, column))
    }

    fn peek(&self) -> Option<char> {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> Option<char> {
        self.characters.get(self.position + ahead).copied()
    }

    fn take_if(&mut self, wanted: impl FnOnce(char) -> bool) -> bool {
        let taken = self.peek().is_some_and(wanted);
        self.position += usize::from(taken);
        taken
    }

    fn token(&mut self, column: usize) -> Result<Token, Fault> {
        let Some(first) = self.peek() else { return Ok(Token::End) };
        if matches!(first, '0'..='9' | '-' | '+' | '.')
            && let Some(number) = self.number(column)?
        {
            return Ok(number);
        }
        if is_word(first) {
            return Ok(Token::Word(self.word()));
        }
        self.position += 1;
        match first {
            '(' => Ok(Token::Open),
            ')' => Ok(Token::Close),
            ':' => Ok(Token::Colon),
            '`' => self.quoted(column),
            '"' | '\'' => self.text(first, column),
            '=' => {
                self.take_if(|next| next == '=');
                Ok(Token::Operator(Operator::Equal))
            }
            '<' if self.take_if(|next| next == '=') => Ok(Token::Operator(Operator::LessOrEqual)),
            '<' if self.peek() == Some('>') => Err(Fault::new(column, "<> is not a comparison; use !=")),
            '<' => Ok(Token::Operator(Operator::Less)),
            '>' if self.take_if(|next| next == '=') => Ok(Token::Operator(Operator::GreaterOrEqual)),
            '>' => Ok(Token::Operator(Operator::Greater)),
            '!' if self.take_if(|next| next == '=') => Ok(Token::Operator(Operator::NotEqual)),
            '!' => Err(Fault::new(column, "! is not an operator; use NOT")),
            '&' => Err(Fault::new(column, "& is not an operator; use AND")),
            '|' => Err(Fault::new(column, "| is not an operator; use OR")),
            other => Err(Fault::new(
                column,
                format!("unexpected character {other:?}; attributes go in backquotes and text in quotes"),
            )),
        }
    }

    fn word(&mut self) -> String {
        let start = self.position;
        while self.take_if(is_word) {}
        self.characters[start..self.position].iter().collect()
    }

    /// A number, or nothing when it goes on as a word, as `2d-net` and `-2h` do.
    fn number(&mut self, column: usize) -> Result<Option<Token>, Fault> {
        let start = self.position;
        self.take_if(|sign| matches!(sign, '-' | '+'));
        let mut digits = self.digits();
        let mut is_float = self.take_if(|point| point == '.');
        digits += self.digits();
        let sign = usize::from(matches!(self.peek_at(1), Some('-' | '+')));
        if matches!(self.peek(), Some('e' | 'E')) && self.peek_at(1 + sign).is_some_and(|c| c.is_ascii_digit()) {
            is_float = true;
            self.position += 1 + sign;
            self.digits();
        }
        if digits == 0 || self.peek().is_some_and(is_word) {
            self.position = start;
            return Ok(None);
        }
        let text: String = self.characters[start..self.position].iter().collect();
        if !is_float && let Ok(value) = text.parse() {
            return Ok(Some(Token::Int(value)));
        }
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Some(Token::Float(value))),
            _ => Err(Fault::new(column, format!("number {} is too large", shortened(&text)))),
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.position;
        while self.take_if(|digit| digit.is_ascii_digit()) {}
        self.position - start
    }

    fn quoted(&mut self, column: usize) -> Result<Token, Fault> {
        let mut name = String::new();
        while let Some(character) = self.peek() {
            self.position += 1;
            if character == '`' && !self.take_if(|next| next == '`') {
                return Ok(Token::Quoted(name));
            }
            name.push(character);
        }
        Err(Fault::new(column, "the attribute has no end; close it with a backquote"))
    }

    fn text(&mut self, quote: char, column: usize) -> Result<Token, Fault> {
        let mut text = String::new();
        while let Some(character) = self.peek() {
            self.position += 1;
            match character {
                '\\' => text.push(self.escaped()?),
                _ if character == quote => return Ok(Token::Text(text)),
                _ => text.push(character),
            }
        }
        Err(Fault::new(column, format!("the text has no end; close it with {quote}")))
    }

    fn escaped(&mut self) -> Result<char, Fault> {
        let column = self.position;
        let escaped = self.peek();
        self.position += 1;
        match escaped {
            Some(same @ ('\\' | '"' | '\'' | '`')) => Ok(same),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            _ => Err(Fault::new(column, r"unknown escape; write \\ for a backslash, or \n, \r, \t, or \ and a quote")),
        }
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '/' | '-' | '.')
}

/// `text`, short enough for a message.
pub(super) fn shortened(text: &str) -> String {
    const SHOWN: usize = 40;
    if text.chars().nth(SHOWN).is_none() {
        return text.to_owned();
    }
    text.chars().take(SHOWN).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(query: &str) -> Result<Vec<(Token, usize)>, Fault> {
        let mut lexer = Lexer::new(query);
        let mut tokens = Vec::new();
        loop {
            match lexer.next()? {
                (Token::End, _) => return Ok(tokens),
                token => tokens.push(token),
            }
        }
    }

    fn one(query: &str) -> Token {
        let mut tokens = tokens(query).unwrap();
        assert_eq!(tokens.len(), 1, "{query}: {tokens:?}");
        tokens.remove(0).0
    }

    fn fault(query: &str) -> (usize, String) {
        let fault = tokens(query).expect_err(query);
        (fault.column, fault.message)
    }

    #[test]
    fn every_token_knows_its_column_in_characters() {
        let found = tokens("`\u{e4}/b`:float <= -1e-3 AND x").unwrap();
        let columns: Vec<_> = found.iter().map(|(_, column)| *column).collect();
        assert_eq!(columns, [1, 6, 7, 13, 16, 22, 26]);
        assert_eq!(found[0].0, Token::Quoted("\u{e4}/b".into()));
        assert_eq!(found[4].0, Token::Float(-0.001));
    }

    #[test]
    fn numbers_that_go_on_as_words_are_words() {
        for (text, token) in [
            ("12", Token::Int(12)),
            ("-7", Token::Int(-7)),
            ("+7", Token::Int(7)),
            (".5", Token::Float(0.5)),
            ("1.", Token::Float(1.0)),
            ("1E+2", Token::Float(100.0)),
            ("9223372036854775808", Token::Float(9_223_372_036_854_775_808.0)),
            ("2d-net", Token::Word("2d-net".into())),
            ("-2h", Token::Word("-2h".into())),
            ("2026-11-22", Token::Word("2026-11-22".into())),
            ("1e", Token::Word("1e".into())),
            ("-", Token::Word("-".into())),
            ("0.1.2", Token::Word("0.1.2".into())),
        ] {
            assert_eq!(one(text), token, "{text}");
        }
        assert_eq!(fault(" 1e999").0, 2);
    }

    #[test]
    fn quotes_and_backquotes_keep_what_is_in_them() {
        assert_eq!(one(r#""it's \"a\" \\ \n""#), Token::Text("it's \"a\" \\ \n".into()));
        assert_eq!(one(r"'say \'hi\' & go'"), Token::Text("say 'hi' & go".into()));
        assert_eq!(one("`a``b (c)`"), Token::Quoted("a`b (c)".into()));
    }

    #[test]
    fn what_is_no_token_is_refused_at_its_column_with_the_way_out() {
        for (query, column, hint) in [
            ("a && b", 3, "use AND"),
            ("a || b", 3, "use OR"),
            ("a = 1 AND !b", 11, "use NOT"),
            ("a <> 1", 3, "use !="),
            ("a = $1", 5, "'$'"),
            ("a = +x", 5, "'+'"),
            ("a = \"x", 5, "close it with \""),
            ("`a", 1, "backquote"),
            (r#"a = "x\q""#, 7, r"write \\"),
            (r#"a = "x\"#, 7, r"write \\"),
        ] {
            let (found, message) = fault(query);
            assert_eq!(found, column, "{query}: {message}");
            assert!(message.contains(hint), "{query}: {message}");
        }
    }
}
