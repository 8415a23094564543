//! What the JavaScript parts need beside cargo: Node.js with npm, Chromium, packages from npm.
//!
//! On a Debian machine where we are root, what is missing is installed. Anywhere else the failure
//! says what to install.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use crate::failure::Failure;
use crate::process;

/// Makes sure that `node` and `npm` can be run.
pub(crate) fn node() -> Result<(), Failure> {
    for program in ["node", "npm"] {
        if process::find(program).is_none() {
            install(program, &["nodejs", "npm"])?;
        }
    }
    Ok(())
}

/// The path of a Chromium to start. The variable `CHROMIUM` chooses one.
pub(crate) fn chromium() -> Result<PathBuf, Failure> {
    const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
    if let Some(chosen) = std::env::var_os("CHROMIUM") {
        return Ok(chosen.into());
    }
    match NAMES.into_iter().find_map(process::find) {
        Some(path) => Ok(path),
        None => install("chromium", &["chromium"]),
    }
}

/// Installs the packages that the lock file in `folder` names, unless they are there already.
pub(crate) fn npm_packages(folder: &Path) -> Result<(), Failure> {
    node()?;
    if is_current(folder) {
        return Ok(());
    }
    let mut command = Command::new("npm");
    // None of the packages needs an installation script, so none may run one.
    command.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    process::run(command.current_dir(folder))
}

/// Whether npm's own record of what it installed is newer than what it should install.
fn is_current(folder: &Path) -> bool {
    let modified =
        |path: PathBuf| -> Option<SystemTime> { fs::metadata(path).ok()?.modified().ok() };
    let wanted =
        ["package.json", "package-lock.json"].into_iter().map(|name| modified(folder.join(name)));
    let installed = modified(folder.join("node_modules/.package-lock.json"));
    installed.is_some() && wanted.into_iter().all(|wanted| wanted.is_some() && wanted <= installed)
}

/// Installs `packages` and returns where `program`, which they bring, lies.
fn install(program: &str, packages: &[&str]) -> Result<PathBuf, Failure> {
    static PACKAGE_LISTS_ARE_FRESH: AtomicBool = AtomicBool::new(false);
    if process::find("apt-get").is_none() || !is_root()? {
        return Err(Failure::new(format!(
            "{program} is not installed; on Debian: apt-get install {}",
            packages.join(" ")
        )));
    }
    if !PACKAGE_LISTS_ARE_FRESH.swap(true, Ordering::Relaxed) {
        process::run(Command::new("apt-get").args(["update", "--quiet"]))?;
    }
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command.args(["install", "--quiet", "--yes", "--no-install-recommends"]).args(packages);
    process::run(&mut command)?;
    process::find(program).ok_or_else(|| {
        Failure::new(format!("{program} is still missing after {}", packages.join(", ")))
    })
}

fn is_root() -> Result<bool, Failure> {
    Ok(process::capture(Command::new("id").arg("-u"))?.trim() == "0")
}
