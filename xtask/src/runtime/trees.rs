//! What the packages for one runtime must not bring of another.

use crate::failure::Failure;
use crate::process;
use crate::workspace::Workspace;

use super::Runtime;

/// Features of the package `tokio` that make a runtime of it. Hyper uses its channels.
const TOKIO_FEATURES: [&str; 5] = ["fs", "net", "rt", "signal", "time"];

/// Checks the dependencies of every runtime's package.
pub(crate) fn check(workspace: &Workspace) -> Result<(), Failure> {
    let mut findings = Vec::new();
    for runtime in Runtime::ALL {
        let package = format!("sansocket-{runtime}");
        let mut tree = workspace.cargo(&["tree", "--package", &package, "--all-features"]);
        tree.args(["--edges", "normal", "--prefix", "none", "--format", "{p}\t{f}"]);
        for line in process::capture(&mut tree)?.lines() {
            if is_foreign(runtime, line) {
                findings.push(format!("{package}: {line}"));
            }
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(Failure::new(findings.join("\n"))) }
}

/// Whether a line of `cargo tree` names what is of another runtime.
pub(super) fn is_foreign(runtime: Runtime, line: &str) -> bool {
    let (package, features) = line.split_once('\t').unwrap_or((line, ""));
    let name = package.split(' ').next().unwrap_or_default();
    let is_tokios = match name {
        "mio" | "hyper-util" | "tokio-rustls" | "sansocket-tokio" => true,
        "tokio" => features
            .split([',', ' '])
            .any(|feature| TOKIO_FEATURES.iter().any(|found| feature.starts_with(found))),
        _ => false,
    };
    let is_async_ios = matches!(name, "async-io" | "polling");
    let is_async_stds = matches!(name, "async-std" | "sansocket-async-std");
    let is_smols = matches!(name, "smol" | "sansocket-smol");
    match runtime {
        Runtime::Tokio => is_async_ios || is_async_stds || is_smols,
        Runtime::Smol => is_tokios || is_async_stds,
        Runtime::AsyncStd => is_tokios || is_smols,
    }
}
