//! The rules for the packages' manifests.
//!
//! The manifests are ours and plainly written, so lines are enough to read them.

use crate::failure::Failure;
use crate::workspace::Workspace;

#[cfg(test)]
mod tests;

pub(super) fn check(workspace: &Workspace) -> Result<Vec<String>, Failure> {
    let mut findings = Vec::new();
    let members = members(&workspace.read("Cargo.toml")?);
    if members.is_empty() {
        findings.push("Cargo.toml: no members were found".to_owned());
    }
    for member in members {
        let path = format!("{member}/Cargo.toml");
        let manifest = workspace.read(&path)?;
        findings.extend(problems(&manifest).map(|problem| format!("{path}: {problem}")));
    }
    Ok(findings)
}

/// The folders of the workspace's packages.
fn members(manifest: &str) -> Vec<String> {
    let list = manifest.split_once("\nmembers = [").and_then(|(_, rest)| rest.split_once(']'));
    let list = list.map_or("", |(list, _)| list);
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// What is wrong with the manifest of one package.
fn problems(manifest: &str) -> impl Iterator<Item = &'static str> {
    let has = |section, line| section_lines(manifest, section).any(|other| other == line);
    let is_public = !has("[package]", "publish = false");
    let describes =
        section_lines(manifest, "[package]").any(|line| line.starts_with("description"));
    [
        (!has("[lints]", "workspace = true"), "does not take its lints from the workspace"),
        (!has("[package]", "license.workspace = true"), "does not take the workspace's licence"),
        (is_public && !describes, "is published, and has no description"),
    ]
    .into_iter()
    .filter_map(|(is_wrong, problem)| is_wrong.then_some(problem))
}

fn section_lines<'a>(manifest: &'a str, section: &str) -> impl Iterator<Item = &'a str> {
    let lines = manifest.lines().map(str::trim).skip_while(move |line| *line != section);
    lines.skip(1).take_while(|line| !line.starts_with('['))
}
