//! The list of what the core may depend on, against what it does depend on.

use std::collections::{BTreeMap, BTreeSet};

use crate::failure::Failure;
use crate::process;
use crate::workspace::Workspace;

#[cfg(test)]
mod tests;

/// The list, below the root of the workspace.
pub(super) const LIST: &str = "xtask/core-dependencies.txt";

const PACKAGE: &str = "sansocket-core";

/// Fails where the list and the dependencies differ, or a linked dependency has `std` on.
pub(super) fn check(workspace: &Workspace) -> Result<(), Failure> {
    let listed = parse_list(&workspace.read(LIST)?)?;
    // Procedural macros and build scripts run on the machine that compiles. What only they use is
    // not part of the core, and resolver 3 keeps its features apart.
    let linked = parse_tree(&tree(workspace, "normal,no-proc-macro")?);
    let all = parse_tree(&tree(workspace, "normal,build")?);
    let mut findings = compare(&listed, &linked, &all);
    findings.extend(std_features(&linked));
    Failure::from_findings(&findings)
}

/// The list as a table in Markdown.
pub(super) fn table(list: &str) -> Result<String, Failure> {
    let mut text = "| dependency | part of | why |\n| --- | --- | --- |\n".to_owned();
    for (name, entry) in parse_list(list)? {
        let part = match entry.part {
            Part::Linked => "the core",
            Part::BuildOnly => "its build",
        };
        text.push_str(&format!("| `{name}` | {part} | {} |\n", entry.reason));
    }
    Ok(text)
}

/// Where a dependency ends up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// In the program of whoever uses the core.
    Linked,
    /// In the compiler's process: procedural macros, build scripts and what they use.
    BuildOnly,
}

impl Part {
    /// The word for it in the list.
    fn word(self) -> &'static str {
        match self {
            Self::Linked => "linked",
            Self::BuildOnly => "build",
        }
    }
}

/// One line of the list.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    part: Part,
    reason: String,
}

/// Reads lines of `name  part  reason`; `#` starts a line of comment.
fn parse_list(text: &str) -> Result<BTreeMap<String, Entry>, Failure> {
    let mut entries = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let (name, part) = (words.next().unwrap_or_default(), words.next());
        let part =
            [Part::Linked, Part::BuildOnly].into_iter().find(|known| part == Some(known.word()));
        let reason = words.collect::<Vec<_>>().join(" ");
        let Some(part) = part.filter(|_| !reason.is_empty()) else {
            return Err(Failure::new(format!("{LIST}: not `name linked|build reason`: {line}")));
        };
        if entries.insert(name.to_owned(), Entry { part, reason }).is_some() {
            return Err(Failure::new(format!("{LIST}: {name} stands there twice")));
        }
    }
    Ok(entries)
}

/// Asks cargo, for every platform and with every feature: the list must not depend on who runs the
/// check.
fn tree(workspace: &Workspace, edges: &str) -> Result<String, Failure> {
    process::capture(&mut workspace.cargo(&[
        "tree",
        "--package",
        PACKAGE,
        "--all-features",
        "--edges",
        edges,
        "--target",
        "all",
        "--prefix",
        "none",
        "--format",
        "{p}|{f}",
    ]))
}

/// The packages of a tree, with the features that are on.
fn parse_tree(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut packages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines() {
        let line = line.trim_end_matches(" (*)");
        let (package, features) = line.split_once('|').unwrap_or((line, ""));
        let Some(name) = package.split_whitespace().next().filter(|&name| name != PACKAGE) else {
            continue;
        };
        let features = features.split(',').filter(|feature| !feature.is_empty()).map(str::to_owned);
        packages.entry(name.to_owned()).or_default().extend(features);
    }
    packages
}

fn compare(
    listed: &BTreeMap<String, Entry>,
    linked: &BTreeMap<String, BTreeSet<String>>,
    all: &BTreeMap<String, BTreeSet<String>>,
) -> Vec<String> {
    let mut findings = Vec::new();
    for name in all.keys() {
        let part = if linked.contains_key(name) { Part::Linked } else { Part::BuildOnly };
        match listed.get(name) {
            None => findings.push(format!(
                "{PACKAGE} depends on {name} ({}), which {LIST} does not list",
                part.word()
            )),
            Some(entry) if entry.part != part => findings.push(format!(
                "{LIST}: {name} is listed as {}, and it is {}",
                entry.part.word(),
                part.word()
            )),
            Some(_) => {}
        }
    }
    for name in listed.keys().filter(|&name| !all.contains_key(name)) {
        findings.push(format!("{LIST}: {PACKAGE} no longer depends on {name}"));
    }
    findings
}

fn std_features(linked: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    linked
        .iter()
        .filter(|(_, features)| features.contains("std"))
        .map(|(name, _)| format!("{PACKAGE} links {name} with its feature std"))
        .collect()
}
