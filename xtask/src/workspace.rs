//! Where things lie: the checkout, its files, cargo and what cargo builds.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::process;

/// The checkout that this program was started in.
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
    cargo: OsString,
}

/// Which of cargo's profiles a binary was built with.
#[derive(Clone, Copy)]
pub(crate) enum Profile {
    Dev,
    Release,
    Simulation,
}

impl Workspace {
    pub(crate) fn locate() -> Result<Self, Failure> {
        let package = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = package.parent().ok_or_else(|| Failure::new("the workspace is not there"))?;
        // This program lies in `<target>/<profile>/`. That holds for every way of moving the
        // target folder, so there is no need to ask cargo for it.
        let executable = std::env::current_exe()
            .map_err(|error| Failure::new(format!("cannot tell the target folder: {error}")))?;
        let target = executable
            .ancestors()
            .nth(2)
            .ok_or_else(|| Failure::new("this program does not lie in a target folder"))?;
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Ok(Self { root: root.to_owned(), target: target.to_owned(), cargo })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Where cargo puts the binary `name`.
    pub(crate) fn binary(&self, profile: Profile, name: &str) -> PathBuf {
        let profile = match profile {
            Profile::Dev => "debug",
            Profile::Release => "release",
            Profile::Simulation => "simulation",
        };
        self.target.join(profile).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    /// A command that runs cargo at the root of the workspace.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.cargo);
        command.args(arguments).current_dir(&self.root);
        command
    }

    /// The text of a file, named by its path below the root.
    pub(crate) fn read(&self, path: impl AsRef<Path>) -> Result<String, Failure> {
        let path = path.as_ref();
        fs::read_to_string(self.root.join(path))
            .map_err(|error| Failure::new(format!("{}: {error}", path.display())))
    }

    /// The files of the project, as paths below the root: those that are committed and new ones
    /// that git does not ignore.
    pub(crate) fn files(&self) -> Result<Vec<String>, Failure> {
        let mut command = Command::new("git");
        command.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let listing = process::capture(command.current_dir(&self.root))?;
        let mut files: Vec<String> = listing
            .split('\0')
            // A file that was deleted but not yet committed so is still in git's index.
            .filter(|path| !path.is_empty() && self.root.join(path).is_file())
            .map(str::to_owned)
            .collect();
        files.sort();
        Ok(files)
    }

    /// The folder `path`, or a failure that says who misses it.
    pub(crate) fn folder(&self, path: &str) -> Result<PathBuf, Failure> {
        let folder = self.root.join(path);
        if folder.is_dir() {
            Ok(folder)
        } else {
            Err(Failure::new(format!("the folder {path} does not exist")))
        }
    }
}
