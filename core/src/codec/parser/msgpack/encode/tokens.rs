//! The parts of a JSON text that is known to be valid.

use crate::codec::json::{Placeholder, string_parts};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    /// A string without escape sequences, and without its quotes.
    Plain(&'a [u8]),
    /// A string with some.
    Escaped(&'a [u8]),
    /// An object that stands for the attachment of that number.
    Attachment(u32),
    Open {
        is_object: bool,
    },
    Close,
}

/// Gives the tokens in order. Commas and colons say nothing that the order does not, so they are
/// passed over.
#[derive(Clone)]
pub(super) struct Tokens<'a> {
    text: &'a [u8],
    at: usize,
    /// Those that are still to come, in order.
    placeholders: &'a [Placeholder],
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a [u8], placeholders: &'a [Placeholder]) -> Self {
        Self { text, at: 0, placeholders }
    }

    /// A token of so many bytes.
    fn passed(&mut self, len: usize, token: Token<'a>) -> Option<Token<'a>> {
        self.at += len;
        Some(token)
    }

    fn string(&mut self) -> Option<Token<'a>> {
        let start = self.at + 1;
        let (end, is_escaped) = string_parts(self.text, start)?;
        let content = self.text.get(start..end - 1)?;
        self.at = end;
        Some(if is_escaped { Token::Escaped(content) } else { Token::Plain(content) })
    }

    fn number(&mut self) -> Option<Token<'a>> {
        let rest = self.text.get(self.at..)?;
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let len = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        let number = core::str::from_utf8(rest.get(..len)?).ok()?;
        self.passed(len, Token::Number(number))
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        while let Some(b',' | b':' | b' ' | b'\t' | b'\n' | b'\r') = self.text.get(self.at) {
            self.at += 1;
        }
        match self.text.get(self.at)? {
            b'{' => match self.placeholders.split_first() {
                Some((&Placeholder { start, end, number: Some(number) }, rest))
                    if start == self.at =>
                {
                    self.placeholders = rest;
                    self.passed(end - start, Token::Attachment(number))
                }
                Some(_) | None => self.passed(1, Token::Open { is_object: true }),
            },
            b'[' => self.passed(1, Token::Open { is_object: false }),
            b'}' | b']' => self.passed(1, Token::Close),
            b'"' => self.string(),
            b'n' => self.passed(4, Token::Null),
            b't' => self.passed(4, Token::Bool(true)),
            b'f' => self.passed(5, Token::Bool(false)),
            b'-' | b'0'..=b'9' => self.number(),
            _ => None,
        }
    }
}
