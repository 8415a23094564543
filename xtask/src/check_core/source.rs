//! That the core is `no_std` in every configuration, and names `std` in tests only.
//!
//! The compiler refuses a `std` path in a `no_std` crate, but one line in another place
//! (`extern crate std`, `cfg_attr`) would take that guard away. This reads the source instead.

use crate::failure::Failure;
use crate::workspace::Workspace;

#[cfg(test)]
mod tests;

pub(super) fn check(workspace: &Workspace) -> Result<(), Failure> {
    const LIBRARY: &str = "core/src/lib.rs";
    let mut findings = Vec::new();
    if !blank_comments_and_literals(&workspace.read(LIBRARY)?).contains("#![no_std]") {
        findings.push(format!("{LIBRARY}: `#![no_std]` is missing"));
    }
    for path in workspace.files()? {
        if path.starts_with("core/src/") && path.ends_with(".rs") && !is_test(&path) {
            for line in lines_naming_std(&workspace.read(&path)?) {
                findings.push(format!("{path}:{line}: the core names `std` outside its tests"));
            }
        }
    }
    Failure::from_findings(&findings)
}

fn is_test(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "tests.rs")
}

/// The numbers of the lines whose code, outside `#[cfg(test)]` items, has the word `std`.
fn lines_naming_std(source: &str) -> Vec<usize> {
    let code = blank_test_items(&blank_comments_and_literals(source));
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let names_std =
        |line: &str| line.split(|character| !is_word(character)).any(|word| word == "std");
    code.lines().zip(1..).filter(|(line, _)| names_std(line)).map(|(_, number)| number).collect()
}

/// `code` with the items after `#[cfg(test)]` replaced by spaces. It has no literals any more, so
/// brackets can be counted.
fn blank_test_items(code: &str) -> String {
    const ATTRIBUTE: &str = "#[cfg(test)]";
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(start) = rest.find(ATTRIBUTE) {
        let (before, item) = rest.split_at(start);
        let (item, after) = item.split_at(ATTRIBUTE.len() + item_length(&item[ATTRIBUTE.len()..]));
        kept.push_str(before);
        blank(item, &mut kept);
        rest = after;
    }
    kept.push_str(rest);
    kept
}

/// How many bytes the item at the start of `code` takes: up to its `;` or its closing brace.
fn item_length(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, character) in code.char_indices() {
        match character {
            '{' | '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// `source` with comments and literals replaced by spaces; the lines stay where they are.
fn blank_comments_and_literals(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let after_word = code.ends_with(|last: char| last.is_alphanumeric() || last == '_');
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment_length(rest)
        } else if first == '"' {
            quoted_length(rest, '"')
        } else if first == '\'' && is_character(rest) {
            quoted_length(rest, '\'')
        } else if let Some(length) = raw_string_length(rest).filter(|_| !after_word) {
            length
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        let (literal, after) = rest.split_at(length);
        blank(literal, &mut code);
        rest = after;
    }
    code
}

/// Block comments nest.
fn block_comment_length(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(next) = text[at..].find(['/', '*']).map(|next| at + next) {
        at = next + 1;
        if text[next..].starts_with("/*") {
            depth += 1;
            at += 1;
        } else if text[next..].starts_with("*/") {
            depth -= 1;
            at += 1;
            if depth == 0 {
                return at;
            }
        }
    }
    text.len()
}

/// Whether the quotation mark at the start of `text` begins a character, not a lifetime.
fn is_character(text: &str) -> bool {
    let mut characters = text.chars().skip(1);
    matches!((characters.next(), characters.next()), (Some('\\'), _) | (Some(_), Some('\'')))
}

/// The length of the literal at the start of `text`, which begins and ends with `quote`.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of the raw string at the start of `text`, if there is one.
fn raw_string_length(text: &str) -> Option<usize> {
    let marks = ["r", "br", "cr"].into_iter().find_map(|prefix| text.strip_prefix(prefix))?;
    let hashes = marks.len() - marks.trim_start_matches('#').len();
    let body = marks[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let body_length = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(text.len() - body.len() + body_length)
}

fn blank(text: &str, code: &mut String) {
    code.extend(text.chars().map(|character| if character == '\n' { '\n' } else { ' ' }));
}
