//! The parts of a document that a program writes.

use crate::failure::Failure;

/// Replaces what stands between the two comments of `name` by `content`.
pub(super) fn replace(document: &str, name: &str, content: &str) -> Result<String, Failure> {
    let begin = format!("<!-- {name}: written by `cargo xtask bench --render` -->\n");
    let end = format!("<!-- end of {name} -->");
    let missing = || Failure::new(format!("no comments of {name}:\n{begin}{end}"));
    let (before, rest) = document.split_once(&begin).ok_or_else(missing)?;
    let (_, after) = rest.split_once(&end).ok_or_else(missing)?;
    Ok(format!("{before}{begin}\n{}\n\n{end}{after}", content.trim()))
}
