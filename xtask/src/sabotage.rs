//! `cargo xtask sabotage`: the machine is broken on purpose, and the simulator must find it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::failure::Failure;
use crate::workspace::Workspace;
use crate::{process, simulate};

pub(crate) const HELP: &str = "\
Usage: cargo xtask sabotage [--seconds S] [--list] [NAME...]

Each file in tests/sabotage/ is a patch that puts one mistake into the core. One at a time they are
applied to a copy of the tree below the target folder, the simulator is built there, and runs until
it finds a violation. The table says what it found, and after how many steps and seconds. It is a
failure if one is not found in time, or a patch does not apply any more.

  --seconds S   the time for each, 60 if it is not given
  --list        says what there is
  NAME...       these alone
";

const FOLDER: &str = "tests/sabotage/";
const SECONDS: &str = "60";

/// What became of one patch.
enum Outcome {
    /// The simulator's own words: which violation, after how many steps and seconds.
    Found(String),
    NotFound,
    DoesNotApply(String),
    DoesNotBuild,
}

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode, Failure> {
    let mut seconds = SECONDS.to_owned();
    let mut names = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--list" => return list(workspace),
            "--seconds" => {
                let value = arguments.next();
                seconds = value.ok_or_else(|| Failure::new("--seconds needs a value"))?.clone();
            }
            name => names.push(name.to_owned()),
        }
    }
    let patches: Vec<String> = patches(workspace)?
        .into_iter()
        .filter(|patch| names.is_empty() || names.contains(patch))
        .collect();
    if patches.is_empty() {
        return Err(Failure::new("there is no such patch; see --list"));
    }
    let mut found = 0;
    println!("{:<30}{:<18}{:>9}{:>10}", "patch", "violation", "steps", "seconds");
    for patch in &patches {
        let outcome = try_patch(workspace, patch, &seconds)?;
        found += usize::from(matches!(outcome, Outcome::Found(_)));
        let text = match outcome {
            Outcome::Found(text) => text,
            Outcome::NotFound => format!("NOT FOUND in {seconds} s"),
            Outcome::DoesNotApply(errors) => format!("DOES NOT APPLY: {errors}"),
            Outcome::DoesNotBuild => "DOES NOT BUILD".to_owned(),
        };
        println!("{patch:<30}{text}");
    }
    println!("{found} of {} found", patches.len());
    Ok(if found == patches.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn list(workspace: &Workspace) -> Result<ExitCode, Failure> {
    for patch in patches(workspace)? {
        let text = workspace.read(format!("{FOLDER}{patch}.patch"))?;
        println!("{patch:<30}{}", text.lines().next().unwrap_or_default());
    }
    Ok(ExitCode::SUCCESS)
}

fn patches(workspace: &Workspace) -> Result<Vec<String>, Failure> {
    let files = workspace.files()?;
    let name = |path: &String| Some(path.strip_prefix(FOLDER)?.strip_suffix(".patch")?.to_owned());
    Ok(files.iter().filter_map(name).collect())
}

fn try_patch(workspace: &Workspace, patch: &str, seconds: &str) -> Result<Outcome, Failure> {
    let folder = workspace.target().join("sabotage");
    let tree = folder.join("tree");
    copy_tree(workspace, &tree)?;
    let mut apply = Command::new("git");
    apply
        .arg("apply")
        .arg(workspace.root().join(format!("{FOLDER}{patch}.patch")))
        .current_dir(&tree)
        // The copy is no part of the checkout that it may lie in.
        .env("GIT_CEILING_DIRECTORIES", &folder);
    let (applies, errors) = process::attempt(&mut apply)?;
    if !applies {
        return Ok(Outcome::DoesNotApply(errors.lines().next().unwrap_or_default().to_owned()));
    }
    let target = folder.join("build");
    if !simulate::build(workspace, &tree, &target)? {
        return Ok(Outcome::DoesNotBuild);
    }
    simulate(&target, seconds)
}

fn simulate(target: &Path, seconds: &str) -> Result<Outcome, Failure> {
    let program: PathBuf = target.join("simulation").join("simulate");
    let output = Command::new(program)
        .args(["--steps", "1000000000", "--shrink-seconds", "0", "--seconds", seconds])
        .output()
        .map_err(|error| Failure::new(format!("cannot run the simulator: {error}")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let word = |name: &str| -> Option<&str> {
        text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
    };
    let (Some(kind), Some(steps), Some(time)) =
        (word("VIOLATION"), word("steps:"), word("seconds:"))
    else {
        return Ok(Outcome::NotFound);
    };
    let kind = kind.split(':').next().unwrap_or_default();
    Ok(Outcome::Found(format!("{kind:<18}{steps:>9}{time:>10}")))
}

/// Makes `tree` the same as the checkout. What is the same already is left alone, so that cargo
/// builds only what has changed.
fn copy_tree(workspace: &Workspace, tree: &Path) -> Result<(), Failure> {
    for path in workspace.files()? {
        let (from, to) = (workspace.root().join(&path), tree.join(&path));
        let failed = |error| Failure::new(format!("cannot copy {path}: {error}"));
        let text = fs::read(&from).map_err(failed)?;
        if fs::read(&to).is_ok_and(|there| there == text) {
            continue;
        }
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        fs::write(&to, text).map_err(failed)?;
    }
    Ok(())
}
