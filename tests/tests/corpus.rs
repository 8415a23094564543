//! What the fuzzer has found worth keeping, given to the bodies of its targets again.
//!
//! This needs neither a fuzzer nor a nightly toolchain, so it runs with all other tests.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use sansocket_tests::fuzzing::{CANARY, TARGETS, Target};

/// The corpus is for coverage, not for load: it must stay small enough to be read and replayed.
const FILES_MAX: usize = 300;
const BYTES_MAX: u64 = 300 << 10;

fn fuzz_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

/// The files of a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn inputs(target: &Target) -> Vec<PathBuf> {
    files(&fuzz_folder().join("corpus").join(target.name))
}

fn names(folder: &str) -> BTreeSet<String> {
    let stem = |path: &PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    files(&fuzz_folder().join(folder)).iter().filter_map(stem).collect()
}

#[test]
fn every_target_holds_for_its_corpus() {
    for target in TARGETS {
        let inputs = inputs(target);
        assert!(!inputs.is_empty(), "{} has no corpus", target.name);
        for path in inputs {
            let bytes = fs::read(&path).expect("a file");
            let result = catch_unwind(|| (target.body)(&bytes));
            assert!(result.is_ok(), "{} fails with {}", target.name, path.display());
        }
        // Nothing at all is an input too.
        (target.body)(&[]);
    }
}

#[test]
fn the_corpora_are_small() {
    for target in TARGETS {
        let inputs = inputs(target);
        let size = |path: &PathBuf| fs::metadata(path).expect("a file").len();
        assert!(inputs.len() <= FILES_MAX, "{}: {} files", target.name, inputs.len());
        let bytes: u64 = inputs.iter().map(size).sum();
        assert!(bytes <= BYTES_MAX, "{}: {bytes} bytes", target.name);
    }
}

#[test]
fn the_canary_fails() {
    let inputs = inputs(&CANARY);
    assert!(!inputs.is_empty(), "the canary has no corpus");
    for path in inputs {
        let bytes = fs::read(&path).expect("a file");
        assert!(catch_unwind(|| (CANARY.body)(&bytes)).is_err(), "{}", path.display());
    }
    (CANARY.body)(b"nothing");
}

#[test]
fn every_target_is_in_the_registry_and_has_a_corpus() {
    let registered = TARGETS.iter().chain([&CANARY]).map(|target| target.name.to_owned());
    let registered: BTreeSet<String> = registered.collect();
    assert_eq!(registered.len(), TARGETS.len() + 1, "a name is taken twice");
    assert_eq!(names("fuzz_targets"), registered);
    assert_eq!(names("corpus"), registered);
}
