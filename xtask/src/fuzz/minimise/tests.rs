use std::fs;
use std::path::{Path, PathBuf};

use super::{BYTES_MAX, FILES_MAX, create_folder, files, is_hash, replace_folder, replace_hashed};

/// A folder that is gone at the end of the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, inputs: &[(String, usize)]) -> Self {
        let name = format!("sansocket-xtask-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        create_folder(&folder).expect("a new folder");
        for (name, size) in inputs {
            fs::write(folder.join(name), vec![0; *size]).expect("a new file");
        }
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn hash(number: usize) -> String {
    format!("{number:040x}")
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = files(folder).expect("a folder").into_iter().map(|f| f.0).collect();
    names.sort();
    names
}

#[test]
fn what_has_a_name_stays_and_hashes_are_replaced() {
    let named = "regression-x".to_owned();
    let corpus = Folder::new("corpus", &[(named.clone(), 5), (hash(1), 5), (hash(2), 5)]);
    let merged = Folder::new("merged", &[("old".to_owned(), 1)]);
    replace_folder(&merged.0, &corpus.0).expect("two folders");
    assert_eq!(names(&merged.0), [named.as_str()]);

    fs::write(merged.0.join(hash(3)), "new").expect("a new file");
    assert_eq!(replace_hashed(&corpus.0, &merged.0).expect("two folders"), (1, 0));
    assert_eq!(names(&corpus.0), [hash(3), named]);
}

#[test]
fn the_limits_are_kept() {
    let many: Vec<_> = (0..FILES_MAX + 5).map(|number| (hash(number), 1 + number)).collect();
    let corpus = Folder::new("many-corpus", &[("named".to_owned(), 5)]);
    let merged = Folder::new("many", &many);
    let outcome = replace_hashed(&corpus.0, &merged.0).expect("two folders");
    assert_eq!(outcome, (FILES_MAX - 1, 6));
    assert_eq!(names(&corpus.0)[0], hash(6), "the smallest were left out");

    let large: Vec<_> = (0..3).map(|number| (hash(number), BYTES_MAX as usize / 2)).collect();
    let merged = Folder::new("large", &large);
    assert_eq!(replace_hashed(&corpus.0, &merged.0).expect("two folders"), (1, 2));
}

#[test]
fn only_the_fuzzers_own_names_are_hashes() {
    assert!(is_hash("24d44faee6afd284424e613bacb0a2133cf5ead5"));
    assert!(!is_hash("regression-24d44faee6afd284424e613bacb0a"));
    assert!(!is_hash("24d44faee6afd284"));
}
