//! `cargo xtask tidy`: the repository's own rules, which no other tool knows.

use std::process::ExitCode;

use crate::failure::Failure;
use crate::workspace::Workspace;

mod conformance;
mod manifests;
mod rules;

pub(crate) const HELP: &str = "\
Usage: cargo xtask tidy

Checks the rules of this repository:

  * a Rust file has at most 500 lines, tests aside;
  * no macro that marks unfinished work or prints for debugging, and no notes about things to fix;
  * no trailing whitespace, and one line feed at the end of a file;
  * no absolute path that exists on somebody's machine only;
  * links between documents lead somewhere;
  * npm's lock files name no download addresses, so that any mirror serves them;
  * every package of the workspace takes its lints and its licence from the workspace;
  * each row of docs/conformance.md names a test or a deviation that exists;
  * the changelog begins with what is unreleased, and both licences are there.
";

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode, Failure> {
    if !arguments.is_empty() {
        return Err(Failure::new("unknown option; see --help"));
    }
    let proved = check(workspace)?;
    println!("tidy; {proved} rows of docs/conformance.md, each with its proof");
    Ok(ExitCode::SUCCESS)
}

/// All rules; the failure lists every place that breaks one. Returns how many rows are proved.
pub(crate) fn check(workspace: &Workspace) -> Result<usize, Failure> {
    let mut findings = Vec::new();
    let files = workspace.files()?;
    for path in files.iter().filter(|path| rules::is_text(path)) {
        let text = workspace.read(path)?;
        findings.extend(rules::check(path, &text));
        for target in
            rules::broken_links(path, &text, |target| workspace.root().join(target).exists())
        {
            findings.push(format!("{path}: the link to {target} leads nowhere"));
        }
    }
    findings.extend(manifests::check(workspace)?);
    let proved = conformance::check(workspace, &mut findings)?;
    findings.extend(check_changelog(&workspace.read("CHANGELOG.md")?));
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        if workspace.read(licence)?.trim().is_empty() {
            findings.push(format!("{licence} is empty"));
        }
    }
    Failure::from_findings(&findings)?;
    Ok(proved)
}

fn check_changelog(text: &str) -> Option<String> {
    let first = text.lines().find(|line| line.starts_with("## "));
    (first != Some("## Unreleased"))
        .then(|| "CHANGELOG.md: the first section must be `## Unreleased`".to_owned())
}
