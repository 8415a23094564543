//! The rule for `docs/conformance.md`: each row names what proves it, and that exists.

use std::collections::HashMap;

use crate::failure::Failure;
use crate::workspace::Workspace;

#[cfg(test)]
mod tests;

const TABLE: &str = "docs/conformance.md";
const DEVIATIONS: &str = "docs/deviations.md";
/// What stands in front of the first cell of a row of [`DEVIATIONS`].
const DEVIATION: &str = "deviation: ";

/// The number of rows, if each of them is proved.
pub(super) fn check(workspace: &Workspace, findings: &mut Vec<String>) -> Result<usize, Failure> {
    let files = workspace.files()?;
    let deviations = workspace.read(DEVIATIONS)?;
    let mut texts = HashMap::new();
    let table = workspace.read(TABLE)?;
    let mut count = 0;
    for (behaviour, proofs) in rows(&table) {
        count += 1;
        if proofs.is_empty() {
            findings.push(format!("{TABLE}: nothing proves: {behaviour}"));
        }
        for proof in proofs.split("; ").filter(|proof| !proof.is_empty()) {
            let exists = match (proof.strip_prefix(DEVIATION), test(proof)) {
                (Some(row), _) => rows(&deviations).any(|(first, _)| first == row),
                (None, Some((file, name))) => {
                    let mut exists = false;
                    for path in files.iter().filter(|path| is_meant(path, file)) {
                        if !texts.contains_key(path) {
                            texts.insert(path, workspace.read(path)?);
                        }
                        exists |= has_test(path, &texts[path], name);
                    }
                    exists
                }
                (None, None) => false,
            };
            if !exists {
                findings.push(format!("{TABLE}: there is no {proof}"));
            }
        }
    }
    Ok(count)
}

/// The first and the last cell of each row of the tables in `text`.
fn rows(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_rule = |cells: &str| cells.chars().all(|char| "-| :".contains(char));
    let mut lines = text.lines().peekable();
    std::iter::from_fn(move || {
        loop {
            let line = lines.next()?;
            let Some(cells) = line.strip_prefix("| ").and_then(|line| line.strip_suffix('|'))
            else {
                continue;
            };
            let is_head = lines.peek().is_some_and(|next| next.starts_with('|') && is_rule(next));
            if is_head || is_rule(cells) {
                continue;
            }
            let first = cells.split(" | ").next()?;
            let last = cells.rsplit(" | ").next()?;
            return Some((first.trim(), last.trim()));
        }
    })
}

/// The file and the name of a test: `` `file` name ``.
fn test(proof: &str) -> Option<(&str, &str)> {
    proof.strip_prefix('`')?.split_once("` ")
}

fn is_meant(path: &str, file: &str) -> bool {
    path == file || path.strip_suffix(file).is_some_and(|folder| folder.ends_with('/'))
}

/// Whether `text` has a test `name`; in JavaScript, whether it has a string that says so.
fn has_test(path: &str, text: &str, name: &str) -> bool {
    if path.ends_with(".rs") {
        return text.contains(&format!("fn {name}("));
    }
    let name = name.replace("\\|", "|");
    ['"', '`'].iter().any(|quote| text.contains(&format!("{quote}{name}{quote}")))
}
