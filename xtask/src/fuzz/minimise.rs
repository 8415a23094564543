//! From what the fuzzer has collected to what is committed.

use std::cmp::Reverse;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::process;

use super::{Fuzzer, INPUT_BYTES_MAX, create_folder};

/// Room is left for what is added by hand: the test of the corpus allows somewhat more.
const FILES_MAX: usize = 250;
const BYTES_MAX: u64 = 250 << 10;

/// Replaces the files that the fuzzer has named, by a hash of their content, with as few and as
/// small ones as reach the same code. What has a name of its own was put there by somebody, and
/// stays.
pub(super) fn minimise(fuzzer: &Fuzzer<'_>) -> Result<(), Failure> {
    let (corpus, collection) = (fuzzer.corpus(), fuzzer.collection()?);
    let merged = fuzzer.workspace.target().join("fuzz-merge").join(&fuzzer.target);
    replace_folder(&merged, &corpus).map_err(|error| failure(&merged, &error))?;
    let mut command = fuzzer.cargo_fuzz("run");
    command.arg(&fuzzer.target).args([&merged, &corpus, &collection]);
    // How often a branch is taken makes too many files that differ in little else.
    command.args(["--", INPUT_BYTES_MAX, "-set_cover_merge=1", "-use_counters=0"]);
    process::run(&mut command)?;

    let (kept, left_out) = replace_hashed(&corpus, &merged).map_err(|e| failure(&corpus, &e))?;
    println!("{}: {kept} files and those with names, {left_out} left out", fuzzer.target);
    Ok(())
}

fn failure(folder: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("{}: {error}", folder.display()))
}

/// Makes `folder` one that holds the named files of `corpus` alone.
fn replace_folder(folder: &Path, corpus: &Path) -> io::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    create_folder(folder).map_err(|failure| io::Error::other(failure.to_string()))?;
    for (name, path, _) in files(corpus)? {
        if !is_hash(&name) {
            fs::copy(path, folder.join(name))?;
        }
    }
    Ok(())
}

/// Replaces the hashed files of `corpus` with those of `merged`, as many as the limits allow. The
/// largest come first: they reach the most, and what small ones reach is soon found again. Returns
/// how many there are, and how many there would be more.
fn replace_hashed(corpus: &Path, merged: &Path) -> io::Result<(usize, usize)> {
    let (mut count, mut bytes) = (0, 0);
    for (name, path, size) in files(corpus)? {
        if is_hash(&name) {
            fs::remove_file(path)?;
        } else {
            count += 1;
            bytes += size;
        }
    }
    let mut candidates = files(merged)?;
    candidates.retain(|(name, _, _)| is_hash(name));
    candidates.sort_by_key(|(_, _, size)| Reverse(*size));
    let mut kept = 0;
    for (name, path, size) in &candidates {
        if count + kept >= FILES_MAX || bytes + size > BYTES_MAX {
            break;
        }
        fs::copy(path, corpus.join(name))?;
        kept += 1;
        bytes += size;
    }
    Ok((kept, candidates.len() - kept))
}

/// The files of a folder: name, path, size.
fn files(folder: &Path) -> io::Result<Vec<(String, PathBuf, u64)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        files.push((name, entry.path(), entry.metadata()?.len()));
    }
    Ok(files)
}

fn is_hash(name: &str) -> bool {
    name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests;
